"""Decoding containers in threads of the gateway beside decoding them in processes: ``python -m bench.decoders``.

Streams arrive in real time, all at once, first in threads (as before) and then in processes. CPU is that of the gateway
and of all decoders. Memory is what the streams add to the proportional set size of all processes together.
"""

import argparse
import asyncio
import io
import os
import resource
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Protocol

import av
import numpy as np
import uvloop

from captions.audio import Pcm, from_bytes
from captions.ports.probe import Probe
from livecaptions.talk import talk_path
from livecaptions.terminal.files import read_file
from streamer.audio.container import ContainerDecoder
from streamer.audio.container_stream import ContainerStream
from streamer.audio.processes import DecoderProcesses

FORMATS = {"webm/opus": ("webm", "libopus", 48_000, 0.1), "wav": ("wav", "pcm_s16le", 16_000, 0.02)}
"""Container, codec, sample rate, and seconds of audio in each piece that arrives."""


class Decoder(Protocol):
    """The part of a decoder that is measured."""

    ready: asyncio.Event

    async def feed(self, data: bytes) -> None:
        """Take bytes."""

    def take(self) -> Any:  # noqa: ANN401 - samples, in a tuple or not
        """All samples that wait."""

    async def close(self) -> None:
        """Stop."""


class Threaded:
    """Decodes a stream in a thread of this process."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._condition = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._decoded: deque[Pcm] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        ContainerStream(self, self._put, lambda _: None).decode()

    def read(self, size: int) -> bytes:
        """Wait for bytes; none at the end."""
        with self._condition:
            while not (self._waiting or self._closed):
                self._condition.wait()
            if not self._waiting:
                return b""
            data = self._waiting.popleft()
            if len(data) > size:
                self._waiting.appendleft(data[size:])
            return data[:size]

    def _put(self, pcm: Pcm, _: int) -> None:
        self._decoded.append(pcm)
        self._loop.call_soon_threadsafe(self.ready.set)

    async def feed(self, data: bytes) -> None:
        """Take bytes."""
        with self._condition:
            self._waiting.append(data)
            self._condition.notify()

    def take(self) -> Pcm | None:
        """All samples that wait."""
        pieces = [self._decoded.popleft() for _ in range(len(self._decoded))]
        return np.concatenate(pieces) if pieces else None

    async def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        await asyncio.to_thread(self._thread.join)


class Measured(NamedTuple):
    """One run. Times in seconds, memory in bytes."""

    begins: list[float]
    cpu: float
    memory: float
    samples: int


def recorded(container: str, codec: str, rate: int, seconds: float) -> bytes:
    """The beginning of the talk in this container."""
    talk = from_bytes(b"".join(read_file(talk_path())))
    pcm = np.resize(talk, int(seconds * 16_000)).astype(np.int16)
    out = io.BytesIO()
    with av.open(out, "w", format=container, options={"live": "1"} if container == "webm" else {}) as muxer:
        stream: Any = muxer.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate, stream.codec_context.frame_size or 320)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            muxer.mux(stream.encode(part))
        muxer.mux(stream.encode(None))
    return out.getvalue()


def processes_of(server: int | None) -> list[int]:
    """This process, the fork server and its children."""
    if server is None:
        return []
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [server, *map(int, children)]


def pss(pids: list[int]) -> int:
    """The proportional set size of processes together, in bytes."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def cpu_of(pids: list[int]) -> float:
    """The CPU of processes so far, in seconds, to the nanosecond where the kernel tells."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def own_cpu() -> float:
    """The CPU of this process with all its threads, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(
    make: Callable[[], Decoder],
    server: Callable[[], int | None],
    data: bytes,
    *,
    seconds: float,
    piece: float,
    count: int,
) -> Measured:
    """Let ``count`` streams of ``data`` arrive in pieces of ``piece`` seconds."""
    me = [os.getpid()]
    before = pss([*me, *processes_of(server())])
    used = own_cpu()
    begins: list[float] = []
    decoders: list[Decoder] = []
    samples = 0
    size = round(len(data) * piece / seconds)

    async def stream(number: int) -> None:
        nonlocal samples
        await asyncio.sleep(piece * number / count)
        began = time.perf_counter()
        decoder = make()
        decoders.append(decoder)
        begins.append(time.perf_counter() - began)
        for index in range(round(seconds / piece)):
            await decoder.feed(data[index * size : (index + 1) * size])
            await asyncio.sleep(max(0.0, began + (index + 1) * piece - time.perf_counter()))
            if (taken := decoder.take()) is not None:
                samples += len(taken if isinstance(taken, np.ndarray) else taken.pcm)

    before_cpu = cpu_of(processes_of(server()))
    await asyncio.gather(*map(stream, range(count)))
    pids = processes_of(server())
    memory = (pss([*me, *pids]) - before) / count
    cpu = own_cpu() - used + cpu_of(pids) - before_cpu
    for decoder in decoders:
        await decoder.close()
    return Measured(begins, cpu / (count * seconds), memory, samples)


async def first_sound(make: Callable[[], Decoder], data: bytes) -> float:
    """Seconds from the creation of a decoder that gets three seconds at once to its first samples."""
    began = time.perf_counter()
    decoder = make()
    await decoder.feed(data)
    while decoder.take() is None:
        decoder.ready.clear()
        await decoder.ready.wait()
    took = time.perf_counter() - began
    await decoder.close()
    return took


def interpreter() -> tuple[float, float]:
    """Wall and CPU seconds of a new interpreter that imports what decoding needs."""
    used, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", "import streamer.audio.decoder_process"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return time.perf_counter() - began, cpu


async def compare(count: int, seconds: float) -> None:
    """Print the comparison."""
    processes = DecoderProcesses()
    makers: dict[str, tuple[Callable[[], Any], Callable[[], int | None]]] = {
        "threads": (Threaded, lambda: None),
        "processes": (lambda: ContainerDecoder(processes, Probe()), lambda: processes.server),
    }
    short = recorded("webm", "libopus", 48_000, 3)
    took, cpu = interpreter()
    print(f"a new interpreter: {1000 * took:.0f} ms, {1000 * cpu:.0f} ms of CPU")
    cold = await first_sound(makers["processes"][0], short)
    print(f"first sound with a fork server that has to start: {1000 * cold:.0f} ms")
    server = processes.server
    print(f"the fork server alone: {pss(processes_of(server)) / 2**20:.1f} MB")
    for name, (make, _) in makers.items():
        firsts = [await first_sound(make, short) for _ in range(30)]
        print(f"first sound, {name}: median {1000 * median(firsts):.1f}, most {1000 * max(firsts):.1f} ms")
    for name, (container, codec, rate, piece) in FORMATS.items():
        data = recorded(container, codec, rate, seconds)
        found = {
            kind: await measure(*maker, data, seconds=seconds, piece=piece, count=count)
            for kind, maker in makers.items()
        }
        for kind, measured in found.items():
            print(
                f"{name}, {count} streams of {seconds:.0f} s in pieces of {1000 * piece:.0f} ms, {kind}: "
                f"CPU {1000 * measured.cpu:.2f} ms per second of audio, {measured.memory / 2**20:.2f} MB per stream, "
                f"begun in {1000 * median(measured.begins):.2f} ms, {measured.samples / 16_000 / count:.1f} s heard"
            )
        print(f"{name}: CPU of processes / threads {found['processes'].cpu / found['threads'].cpu:.2f}")
    processes.close()


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    uvloop.run(compare(given.streams, given.seconds))


if __name__ == "__main__":
    main()
