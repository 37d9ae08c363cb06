"""Latency, stability, accuracy and cost of a running server: a talk sent in real time, captions timed as they come.

``python -m bench.latency [talk] [CLIP...] [--kafka] [--url URL]`` prints a Markdown table; docs/latency.md holds one.
Captions are timed at a viewer's socket. CPU seconds are the server's own processes; unknown where ``--url`` names a
running one. ``--kafka`` measures a gateway and a worker with a Kafka broker between them beside the one process.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import typer
from jiwer import process_words
from whisper_normalizer.english import EnglishTextNormalizer

from captions.audio import Pcm, from_bytes
from captions.listener import Listener
from captions.messages import CaptionMessage
from captions.ports.engine import DecodeRequest
from captions.quality import Arrival, Quality, Spoken, measure, percentile
from captions.segmenter import Segmenter, SegmenterSettings
from inference.engine import WhisperSettings, load_engine
from livecaptions import talk
from livecaptions.client.files import file_frames, read_file
from livecaptions.client.publisher import Event, Publisher, Stream
from livecaptions.client.viewer import View, view
from livecaptions.talk import ReferenceWord
from streamer.vad import detector_factory
from tests.kafka import Broker, free_ports

SPEECH = Path(__file__).resolve().parents[2] / "shared" / "speech"
MODEL = "tiny.en"
normalize = EnglishTextNormalizer()


@dataclass(frozen=True)
class Recording:
    """Sound with its reference."""

    name: str
    path: Path
    text: str
    words: Sequence[Spoken]


@dataclass(frozen=True)
class Measured:
    """What one recording gave."""

    name: str
    quality: Quality
    word_error_rate: float
    padded_word_error_rate: float
    cpu_per_audio_second: float


def recordings(names: Sequence[str]) -> list[Recording]:
    """The bundled talk as ``talk``, a clip of ../shared/speech by its name."""
    found = []
    for name in names:
        if name == "talk":
            found.append(Recording(name, talk.talk_path(), talk.text(), talk.words()))
        else:
            lines = [line.split() for line in (SPEECH / f"{name}.ctm").read_text().splitlines()]
            words = [ReferenceWord(f[4], float(f[2]), float(f[2]) + float(f[3])) for f in lines]
            found.append(Recording(name, SPEECH / f"{name}.flac", (SPEECH / f"{name}.txt").read_text(), words))
    return found


@contextlib.contextmanager
def server() -> Iterator[tuple[str, list[int]]]:
    """A server of our own with one decode thread: its address and process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with started(["serve", *DECODING, "--port", port]) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, [process])
        yield url, [process.pid]


@contextlib.contextmanager
def over_kafka() -> Iterator[tuple[str, list[int]]]:
    """A broker, a gateway and a worker: the gateway's address, the process ids of the latter two."""
    broker = Broker()
    port = str(free_ports(1)[0])
    transport = ["--transport", f"kafka://{broker.bootstrap}"]
    try:
        broker.start()
        subprocess.run([*CLI, "topics", *transport], check=True, stdout=subprocess.DEVNULL)
        with (
            started(["gateway", *transport, "--port", port]) as gateway,
            started(["worker", *transport, *DECODING]) as worker,
        ):
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, [gateway, worker])
            time.sleep(5)  # the worker loads its model and joins
            yield url, [gateway.pid, worker.pid]
    finally:
        broker.remove()


CLI = [sys.executable, "-m", "livecaptions.cli"]
DECODING = ["--model", MODEL, "--threads", "1"]


@contextlib.contextmanager
def started(arguments: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A command of ours while the context lasts."""
    process = subprocess.Popen([*CLI, *arguments, "--log-level", "warning"])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(url: str, processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Return when the server takes sessions; exit where one ended or it takes longer than a minute."""
    for _ in range(300):
        if ended := [process.returncode for process in processes if process.poll() is not None]:
            raise SystemExit(f"the server ended with exit code {ended[0]}: what it printed says why")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").is_success:
                return
        time.sleep(0.2)
    raise SystemExit(f"no server was ready at {url} within a minute")


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of processes so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(of[11]) + int(of[12]) for of in fields) / os.sysconf("SC_CLK_TCK")


async def arrivals(url: str, recording: Recording) -> list[Arrival]:
    """Send the recording in real time; its captions as a viewer got them, timed from its first sample."""
    loop = asyncio.get_running_loop()
    room = f"bench-{recording.name}"
    began = loop.create_future()
    finals: set[int] = set()

    def tell(event: Event) -> None:
        if event["type"] == "ready" and not began.done():
            began.set_result(loop.time())
        elif event["type"] == "caption" and event["final"]:
            finals.add(event["utterance"])

    came: list[Arrival] = []
    seen = asyncio.Event()

    async def watch() -> None:
        zero = await began
        async for event in view(View(server=url, room=room)):
            if event["type"] == "caption":
                came.append(Arrival(loop.time() - zero, CaptionMessage.model_validate(event)))
                seen.set()

    stream = Stream(server=url, room=room, language="en")
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        await Publisher(stream, tell).publish(file_frames(recording.path))
        async with asyncio.timeout(10):
            while finals - {arrival.caption.utterance for arrival in came if arrival.caption.final}:
                seen.clear()
                await seen.wait()
        watching.cancel()
    return came


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Errors for each word of the reference, after Whisper's English normalizer."""
    return float(process_words(normalize(reference), normalize(hypothesis)).wer)


def padded_text(recording: Recording) -> str:
    """What the same model reads in windows padded to 30 s, as everybody does, of the same utterances."""
    engine = load_engine(MODEL, threads=1, settings=WhisperSettings(final_window="full"))
    audio = from_bytes(b"".join(read_file(recording.path)))
    texts = []
    for pcm in utterances(audio):
        (hypothesis,) = engine.decode([DecodeRequest(pcm=pcm, language="en", final=True)])
        texts += [word.text for word in hypothesis.words]
    return " ".join(texts)


def utterances(audio: Pcm) -> list[Pcm]:
    """The utterances that the gateway cuts ``audio`` into."""
    detector = detector_factory("cascade")()
    listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
    cut: dict[int, list[Pcm]] = {}
    bounds: dict[int, tuple[int, int | None]] = {}
    for piece in (*listener.push(audio), *listener.finish()):
        start = bounds.get(piece.utterance, (piece.start, None))[0]
        bounds[piece.utterance] = (start, piece.end)
        cut.setdefault(piece.utterance, []).append(piece.pcm)
    return [
        np.concatenate(pieces)[: None if end is None else end - start]
        for pieces, (start, end) in zip(cut.values(), bounds.values(), strict=True)
    ]


def run(url: str, pids: Sequence[int], recording: Recording, note: str = "") -> Measured:
    """Measure one recording."""
    before = cpu_seconds(pids)
    came = asyncio.run(arrivals(url, recording))
    spent = (cpu_seconds(pids) - before) if pids else float("nan")
    finals = sorted((a.caption for a in came if a.caption.final), key=lambda caption: caption.utterance)
    seconds = len(b"".join(read_file(recording.path))) / 32_000
    return Measured(
        recording.name + note,
        measure(came, recording.words),
        word_error_rate(recording.text, " ".join(caption.text for caption in finals)),
        word_error_rate(recording.text, padded_text(recording)),
        spent / seconds,
    )


def table(measured: Sequence[Measured]) -> str:
    """The figures beside the goals of the design."""

    def both(values: list[float]) -> str:
        return f"{percentile(values, 50):.2f} / {percentile(values, 95):.2f} s"

    rows: list[tuple[str, str, Callable[[Measured], str]]] = [
        ("first partial, p50 / p95", "p95 <= 1.2 s", lambda m: both(m.quality.first_partial)),
        ("word shown, p50 / p95", "<= 0.4 / 0.9 s", lambda m: both(m.quality.word_shown)),
        ("word stable, p50 / p95", "<= 0.6 / 1.1 s", lambda m: both(m.quality.word_stable)),
        ("final, p50 / p95", "p95 <= 0.4 s", lambda m: both(m.quality.final)),
        ("erasure, words / raw", "<= 0.10", lambda m: f"{m.quality.erasure:.2f} / {m.quality.raw_erasure:.2f}"),
        ("WER of the finals", "", lambda m: f"{m.word_error_rate:.1%}"),
        ("WER of the same, padded to 30 s", "within 0.3 points", lambda m: f"{m.padded_word_error_rate:.1%}"),
        ("CPU s per audio s, whole server", "", lambda m: f"{m.cpu_per_audio_second:.2f}"),
    ]
    lines = ["| | goal | " + " | ".join(m.name for m in measured) + " |", "|---|---|" + "---|" * len(measured)]
    lines += [f"| {name} | {goal} | " + " | ".join(show(m) for m in measured) + " |" for name, goal, show in rows]
    return "\n".join(lines)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="talk, or clips of ../shared/speech by name.")] = None,
    url: Annotated[str | None, typer.Option(help="A running server; else one is started.")] = None,
    kafka: Annotated[bool, typer.Option("--kafka", help="Also with Kafka between a gateway and a worker.")] = False,
) -> None:
    """Measure a server with recordings sent in real time."""
    chosen = recordings(names or ["talk", "lj001_printing_chapter"])
    nobody: list[int] = []
    with contextlib.nullcontext((url, nobody)) if url else server() as (address, pids):
        measured = [run(address, pids, recording) for recording in chosen]
    if kafka:
        with over_kafka() as (address, pids):
            measured += [run(address, pids, recording, " over Kafka") for recording in chosen]
    print(table(measured))


if __name__ == "__main__":
    typer.run(main)
