"""Whole streams through a decoder."""

import asyncio

import numpy as np

from captions.audio import NO_AUDIO, Pcm
from captions.audio_warnings import AudioWarning
from captions.stream_options import AudioFormat
from streamer.audio.container import ContainerDecoder
from streamer.audio.decoder import Decoded
from streamer.audio.open import open_decoder


async def read(decoder: ContainerDecoder) -> Decoded | None:
    """The next decoded piece; None at the end."""
    while True:
        decoder.ready.clear()
        if (decoded := decoder.take()) is not None or decoder.over:
            return decoded
        await decoder.ready.wait()


async def decode_container(data: bytes, size: int = 2000, told: list[AudioWarning] | None = None) -> Pcm:
    """The samples of a stream that arrives in pieces of ``size`` bytes; warnings are appended to ``told``."""
    decoder = ContainerDecoder()
    pieces: list[Pcm] = []
    fed = 0

    async def gather() -> None:
        while (decoded := await read(decoder)) is not None:
            pieces.append(decoded.pcm)
            assert decoded.offset <= fed

    reading = asyncio.create_task(gather())
    try:
        async with asyncio.timeout(30):
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
        if told is not None:
            told += decoder.warnings.all
    return np.concatenate(pieces) if pieces else NO_AUDIO


async def decode_raw(audio: AudioFormat, data: bytes, sizes: list[int] | None = None) -> tuple[Pcm, list[int]]:
    """Feed ``data`` in pieces of ``sizes``. Returns all samples and offsets."""
    pcm, offsets, _ = await decode_warned(audio, data, sizes)
    return pcm, offsets


async def decode_warned(
    audio: AudioFormat, data: bytes, sizes: list[int] | None = None
) -> tuple[Pcm, list[int], tuple[AudioWarning, ...]]:
    """The same, with the warnings."""
    decoder = open_decoder(audio)
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
