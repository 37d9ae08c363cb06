"""Audio from files and pipes, as frames to publish, paced like speech."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import av
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from captions.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from captions.errors import SetupError

FRAME_SECONDS = 0.02
FAST_FRAME_BYTES = 16 * 1024


def read_file(path: Path) -> Iterator[bytes]:
    """The first audio stream of any file PyAV reads, as PCM16 mono at 16 kHz. Raises ``SetupError``."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SetupError(f"{path} holds no audio")
            resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                yield from (out.to_ndarray().tobytes() for out in resampler.resample(frame))
            yield from (out.to_ndarray().tobytes() for out in resampler.resample(None))
    except (FFmpegError, OSError) as error:
        raise SetupError(f"cannot read {path}: {error}") from error


def reframed(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in frames of ``size``, the last one shorter."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) // size * size
        yield from (rest[at : at + size] for at in range(0, whole, size))
        rest = rest[whole:]
    if rest:
        yield rest


async def file_frames(path: Path, *, fast: bool = False, seconds: float | None = None) -> AsyncIterator[bytes]:
    """Frames of a file: 20 ms each as fast as it is spoken, or larger ones at once where ``fast``.

    ``seconds`` stops early. A frame is due when its last sample would have been spoken.
    """
    bytes_per_second = SAMPLE_RATE * BYTES_PER_SAMPLE
    most = None if seconds is None else round(seconds * SAMPLE_RATE) * BYTES_PER_SAMPLE
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    size = FAST_FRAME_BYTES if fast else round(FRAME_SECONDS * bytes_per_second)
    for frame in reframed(read_file(path), size):
        if most is not None and sent >= most:
            return
        sent += len(frame)
        if not fast:
            await asyncio.sleep(began + sent / bytes_per_second - loop.time())
        yield frame


async def pipe_frames(pipe: IO[bytes] | None = None) -> AsyncIterator[bytes]:
    """What comes through a pipe, standard input by default, as soon as it comes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=FAST_FRAME_BYTES)
    with suppress(NotImplementedError):
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe or sys.stdin.buffer
        )
        try:
            while data := await reader.read(FAST_FRAME_BYTES):
                yield data
        finally:
            transport.close()
