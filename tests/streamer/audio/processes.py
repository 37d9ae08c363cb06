"""What the kernel knows of processes, and streams through decoder processes."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from captions.audio import NO_AUDIO, Pcm
from captions.ports.probe import Probe
from streamer.audio.container import ContainerDecoder
from streamer.audio.decoder import Decoded
from streamer.audio.processes import DecoderProcesses


def children(pid: int) -> list[int]:
    """The ids of a process's children, the oldest first; zombies too."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def decoders(processes: DecoderProcesses) -> list[int]:
    """The ids of the decoder processes."""
    return [] if processes.server is None else children(processes.server)


def proc(pid: int, name: str) -> str:
    """What /proc says about a process."""
    return Path(f"/proc/{pid}/{name}").read_text()


def descriptors(pid: int) -> list[str]:
    """What the descriptors of a process are, in their order."""
    found = sorted(Path(f"/proc/{pid}/fd").iterdir(), key=lambda link: int(link.name))
    return [str(link.readlink()) for link in found if link.is_symlink()]


def status(pid: int) -> dict[str, str]:
    """What /proc says about a process, by name."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def runs(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return status(pid)["State"][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(true: Callable[[], object], within: float = 20) -> None:
    """Wait for something that nobody reports."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


async def read(decoder: ContainerDecoder) -> Decoded | None:
    """The next decoded piece; None at the end."""
    while True:
        decoder.ready.clear()
        if (decoded := decoder.take()) is not None or decoder.over:
            return decoded
        await decoder.ready.wait()


class Stops(Probe):
    """Records why decoders stopped."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def decoder_stopped(self, reason: str) -> None:
        self.reasons.append(reason)


async def decode(processes: DecoderProcesses, data: bytes, size: int = 2000) -> tuple[Pcm, list[Decoded]]:
    """All samples of a stream that arrives in pieces of ``size`` bytes, and the pieces in which they came."""
    decoder = ContainerDecoder(processes, Probe())
    pieces: list[Decoded] = []
    fed = 0

    async def gather() -> None:
        while (decoded := await read(decoder)) is not None:
            assert decoded.offset <= fed
            pieces.append(decoded)

    reading = asyncio.create_task(gather())
    try:
        async with asyncio.timeout(60):
            for at in range(0, len(data), size):
                fed = min(at + size, len(data))
                await decoder.feed(data[at : at + size])
                await asyncio.sleep(0)
            await decoder.finish()
            await reading
    finally:
        reading.cancel()
        await decoder.close()
        await asyncio.gather(reading, return_exceptions=True)
    return np.concatenate([piece.pcm for piece in pieces]) if pieces else NO_AUDIO, pieces
