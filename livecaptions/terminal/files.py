"""Audio frames from files and pipes, in real time."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any

import av
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from captions.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from captions.errors import SetupError

FRAME_SECONDS = 0.02
FAST_FRAME_BYTES = 16 * 1024
BYTES_PER_SECOND = SAMPLE_RATE * BYTES_PER_SAMPLE


def read_file(path: Path) -> Iterator[bytes]:
    """Decode the first audio stream of a file with PyAV. Yields mono PCM16 bytes at 16 kHz.

    Raises ``SetupError`` immediately if the file cannot be opened or has no audio, and during iteration if it is
    damaged.
    """
    try:
        container = av.open(str(path))
    except (FFmpegError, OSError) as error:
        raise SetupError(f"cannot read {path}: {_reason(error)}") from error
    if not container.streams.audio:
        container.close()
        raise SetupError(f"{path} contains no audio")
    return _decoded(container, path)


def _decoded(container: Any, path: Path) -> Iterator[bytes]:  # noqa: ANN401 - PyAV has no types
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with container:
        try:
            for frame in container.decode(audio=0):
                yield from (out.to_ndarray().tobytes() for out in resampler.resample(frame))
            yield from (out.to_ndarray().tobytes() for out in resampler.resample(None))
        except FFmpegError as error:
            raise SetupError(f"{path} is damaged: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def reframed(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Regroup bytes into frames of ``size`` bytes. The last frame may be shorter."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) // size * size
        yield from (rest[at : at + size] for at in range(0, whole, size))
        rest = rest[whole:]
    if rest:
        yield rest


def file_frames(path: Path, *, fast: bool = False, seconds: float | None = None) -> AsyncIterator[bytes]:
    """Yield the frames of a file: 20 ms each in real time, or larger ones without delay if ``fast``.

    ``seconds`` limits the length. In real time, a frame is due when its last sample has been spoken, counted from the
    request for the first frame. Raises ``SetupError`` as ``read_file`` does.
    """
    size = FAST_FRAME_BYTES if fast else round(FRAME_SECONDS * BYTES_PER_SECOND)
    most = None if seconds is None else round(seconds * SAMPLE_RATE) * BYTES_PER_SAMPLE
    frames = reframed(_at_most(read_file(path), most), size)
    return _handed_out(frames) if fast else _as_spoken(frames)


def _at_most(chunks: Iterator[bytes], most: int | None) -> Iterator[bytes]:
    for chunk in chunks:
        if most is not None and len(chunk) >= most:
            yield chunk[:most]
            return
        yield chunk
        most = None if most is None else most - len(chunk)


async def _handed_out(frames: Iterator[bytes]) -> AsyncIterator[bytes]:
    for frame in frames:
        yield frame
        await asyncio.sleep(0)


async def _as_spoken(frames: Iterator[bytes]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    for frame in frames:
        sent += len(frame)
        await asyncio.sleep(began + sent / BYTES_PER_SECOND - loop.time())
        yield frame


async def pipe_frames(pipe: IO[bytes] | None = None, *, bytes_per_second: float | None = None) -> AsyncIterator[bytes]:
    """Yield chunks from a pipe, by default standard input.

    With ``bytes_per_second``, a chunk is due when the audio before it has been spoken. This slows a recording down to
    real time and does not delay a microphone.
    """
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    async for chunk in _chunks(pipe or sys.stdin.buffer):
        if bytes_per_second is not None:
            if sent == 0:
                began = loop.time()
            await asyncio.sleep(began + sent / bytes_per_second - loop.time())
        sent += len(chunk)
        yield chunk


async def _chunks(pipe: IO[bytes]) -> AsyncIterator[bytes]:
    if not _waits(pipe):
        while chunk := os.read(pipe.fileno(), FAST_FRAME_BYTES):
            yield chunk
            await asyncio.sleep(0)
        return
    reader = asyncio.StreamReader(limit=FAST_FRAME_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        while chunk := await reader.read(FAST_FRAME_BYTES):
            yield chunk
    finally:
        transport.close()


def _waits(pipe: IO[bytes]) -> bool:
    """Whether a read may block. Files never do, and event loops do not support them."""
    mode = os.fstat(pipe.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or pipe.isatty()
