"""Latency, stability, accuracy and cost of a server that receives a talk in real time.

``python -m bench.latency [talk] [CLIP...] [--second-pass] [--kafka] [--url URL]`` prints the Markdown table in
docs/latency.md. Captions are timed at the socket of a viewer. CPU seconds are those of the server's processes; they
are unknown with ``--url``. ``--kafka`` also measures a gateway and a worker with a Kafka broker between them.
"""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.capacity.accuracy import word_error_rate
from bench.capacity.pacing import Pace
from bench.capacity.recordings import Recording, bundled_talk, clip
from bench.capacity.systems import Livecaptions, Received, Running
from bench.capacity.usage import Usage
from captions.audio import Pcm, from_bytes
from captions.listener import Listener
from captions.ports.engine import DecodeRequest
from captions.quality import Quality, measure, percentile
from captions.segmenter import Segmenter, SegmenterSettings
from inference.engine import WhisperSettings, load_engine
from livecaptions.processes import CLI, free_port, own_server, ready, running
from monitoring import goals
from streamer.vad import detector_factory
from tests.kafka import Broker

SPEECH = Path(__file__).resolve().parents[2] / "shared" / "speech"
MODEL = "tiny.en"
DECODING = ("--model", MODEL, "--threads", "1")


@dataclass(frozen=True)
class Measured:
    """The result of one recording."""

    name: str
    quality: Quality
    word_error_rate: float
    padded_word_error_rate: float
    cpu_per_audio_second: float


def recordings(names: Sequence[str]) -> list[Recording]:
    """Load recordings: ``talk`` is the bundled talk, other names are clips of ../shared/speech."""
    return [bundled_talk() if name == "talk" else clip(SPEECH / f"{name}.flac") for name in names]


@contextlib.contextmanager
def server(*flags: str) -> Iterator[Running]:
    """Start a server with one decode thread."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with own_server(port, *DECODING, *flags) as process:
        asyncio.run(ready(url, [process]))
        yield Running(url, [process.pid])


@contextlib.contextmanager
def over_kafka() -> Iterator[Running]:
    """Start a broker, a gateway and a worker. Only the latter two count as the server's processes."""
    broker = Broker()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    common = ["--transport", f"kafka://{broker.bootstrap}", "--log-level", "warning"]
    try:
        broker.start()
        subprocess.run([*CLI, "topics", *common], check=True, stdout=subprocess.DEVNULL)
        with (
            running([*CLI, "gateway", *common, "--port", str(port)]) as gateway,
            running([*CLI, "worker", *common, *DECODING]) as worker,
        ):
            asyncio.run(ready(url, [gateway, worker]))
            time.sleep(5)  # the worker loads its model and joins
            yield Running(url, [gateway.pid, worker.pid])
    finally:
        broker.remove()


def padded_text(recording: Recording) -> str:
    """The text that the same model decodes from the same utterances in windows padded to 30 s."""
    engine = load_engine(MODEL, threads=1, settings=WhisperSettings(final_window="full"))
    audio = from_bytes(recording.audio)
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


def run(server: Running, recording: Recording, note: str = "") -> Measured:
    """Measure one recording."""
    usage, received, system = Usage(server.pids), Received(), Livecaptions()
    before = usage.cpu_seconds()
    asyncio.run(system.speak(server, f"bench-{recording.name}", Pace(recording.audio, system.frame), received))
    spent = (usage.cpu_seconds() - before) if usage.known else float("nan")
    return Measured(
        recording.name + note,
        measure(received.shown, recording.words),
        word_error_rate([recording.text], [received.text]),
        word_error_rate([recording.text], [padded_text(recording)]),
        spent / recording.seconds,
    )


def compared(recording: Recording) -> list[Measured]:
    """Measure a server without the second pass and one with it at the same time, so that both have the same machine."""
    with server("--refine", "off") as off, server("--refine", "on") as on, ThreadPoolExecutor(2) as both:
        return list(both.map(run, (off, on), repeat(recording), (", refine off", ", refine on")))


GOALS = {
    "first partial, p50 / p95": f"p95 <= {goals.FIRST_PARTIAL.good:g} s",
    "word shown, p50 / p95": f"<= {goals.WORD_SHOWN_MEDIAN.good:g} / {goals.WORD_SHOWN.good:g} s",
    "word stable, p50 / p95": f"<= {goals.WORD_STABLE_MEDIAN.good:g} / {goals.WORD_STABLE.good:g} s",
    "final, p50 / p95": f"p95 <= {goals.FINAL.good:g} s",
    "erasure, words / raw": f"<= {goals.ERASURE.good:.2f}",
    "WER of the same, padded to 30 s": "within 0.3 points",
}
"""The goals as they are shown in the table, by the name of the row."""


def table(measured: Sequence[Measured]) -> str:
    """The results and the goals as a Markdown table."""

    def both(values: list[float]) -> str:
        return f"{percentile(values, 50):.2f} / {percentile(values, 95):.2f} s"

    rows: list[tuple[str, Callable[[Measured], str]]] = [
        ("first partial, p50 / p95", lambda m: both(m.quality.first_partial)),
        ("word shown, p50 / p95", lambda m: both(m.quality.word_shown)),
        ("word stable, p50 / p95", lambda m: both(m.quality.word_stable)),
        ("final, p50 / p95", lambda m: both(m.quality.final)),
        ("erasure, words / raw", lambda m: f"{m.quality.erasure:.2f} / {m.quality.raw_erasure:.2f}"),
        ("WER of the finals", lambda m: f"{m.word_error_rate:.1%}"),
        ("WER of the same, padded to 30 s", lambda m: f"{m.padded_word_error_rate:.1%}"),
        ("CPU s per audio s, whole server", lambda m: f"{m.cpu_per_audio_second:.2f}"),
    ]
    lines = ["| | goal | " + " | ".join(m.name for m in measured) + " |", "|---|---|" + "---|" * len(measured)]
    for name, show in rows:
        lines.append(f"| {name} | {GOALS.get(name, '')} | " + " | ".join(show(m) for m in measured) + " |")
    return "\n".join(lines)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="talk, or names of clips in ../shared/speech.")] = None,
    url: Annotated[str | None, typer.Option(help="A running server. Without it, one is started.")] = None,
    second_pass: Annotated[
        bool, typer.Option("--second-pass", help="Two servers at once, without the second pass and with it.")
    ] = False,
    kafka: Annotated[bool, typer.Option("--kafka", help="Also measure a gateway and a worker over Kafka.")] = False,
) -> None:
    """Measure a server with recordings sent in real time."""
    chosen = recordings(names or ["talk", "lj001_printing_chapter"])
    if second_pass:
        print(table([one for recording in chosen for one in compared(recording)]))
        return
    with contextlib.nullcontext(Running(url)) if url else server() as running_one:
        measured = [run(running_one, recording) for recording in chosen]
    if kafka:
        with over_kafka() as running_one:
            measured += [run(running_one, recording, " over Kafka") for recording in chosen]
    print(table(measured))


if __name__ == "__main__":
    typer.run(main)
