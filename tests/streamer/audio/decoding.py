"""Whole streams through a decoder."""

from collections.abc import Iterable, Iterator

import numpy as np

from captions.audio import NO_AUDIO, Pcm
from captions.audio_warnings import AudioWarning, AudioWarnings
from captions.ports.probe import Probe
from captions.stream_options import AudioFormat
from streamer.audio.container_stream import ContainerStream
from streamer.audio.open import open_decoder
from streamer.audio.processes import DecoderProcesses


class Pieces:
    """A stream's bytes, which are read in pieces of ``size``."""

    def __init__(self, data: bytes, sizes: Iterable[int]) -> None:
        self._rest = [piece for piece in _cut(data, sizes) if piece]
        self.consumed = 0

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes of the next piece; none at the end."""
        if not self._rest:
            return b""
        piece, self._rest[0] = self._rest[0][:size], self._rest[0][size:]
        if not self._rest[0]:
            del self._rest[0]
        self.consumed += len(piece)
        return piece


def _cut(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def decode_container(data: bytes, size: int = 2000, told: list[AudioWarning] | None = None) -> Pcm:
    """The samples of a stream that arrives in pieces of ``size`` bytes; warnings are appended to ``told``."""
    warnings = AudioWarnings()
    stream = Pieces(data, [size] * (len(data) // size))
    pieces: list[Pcm] = []

    def put(pcm: Pcm, offset: int) -> None:
        assert offset <= stream.consumed
        pieces.append(pcm)

    try:
        ContainerStream(stream, put, warnings.add).decode()
    finally:
        if told is not None:
            told += warnings.all
    return np.concatenate(pieces) if pieces else NO_AUDIO


async def decode_raw(audio: AudioFormat, data: bytes, sizes: list[int] | None = None) -> tuple[Pcm, list[int]]:
    """Feed ``data`` in pieces of ``sizes``. Returns all samples and offsets."""
    pcm, offsets, _ = await decode_warned(audio, data, sizes)
    return pcm, offsets


async def decode_warned(
    audio: AudioFormat, data: bytes, sizes: list[int] | None = None
) -> tuple[Pcm, list[int], tuple[AudioWarning, ...]]:
    """The same, with the warnings."""
    decoder = open_decoder(audio, DecoderProcesses(), Probe())
    pieces: list[Pcm] = []
    offsets: list[int] = []
    at = 0
    try:
        for size in [*(sizes or []), len(data)]:
            await decoder.feed(data[at : at + size])
            at += size
        await decoder.finish()
        while (decoded := decoder.take()) is not None:
            pieces.append(decoded.pcm)
            offsets.append(decoded.offset)
    finally:
        await decoder.close()
    return (np.concatenate(pieces) if pieces else np.zeros(0, np.int16)), offsets, decoder.warnings.all
