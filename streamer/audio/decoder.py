"""The decoder of one stream: bytes in, samples out, and how many bytes the samples account for."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from captions.audio import SAMPLE_RATE, Pcm
from captions.audio_warnings import AudioWarnings


class Encoding(StrEnum):
    """The values of the query parameter ``encoding``."""

    LINEAR16 = "linear16"
    FLOAT32 = "float32"
    MULAW = "mulaw"
    ALAW = "alaw"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a stream's bytes are to be read; rate (Hz) and channels (interleaved) mean nothing for a container."""

    encoding: Encoding = Encoding.LINEAR16
    sample_rate: int = SAMPLE_RATE
    channels: int = 1

    def __str__(self) -> str:
        """Its name: two streams of the same name are read alike."""
        return f"{self.encoding}/{self.sample_rate}/{self.channels}"


class Decoded(NamedTuple):
    """Samples, and the offset before which every byte is represented in the samples up to these."""

    pcm: Pcm
    offset: int


class AudioDecoder(Protocol):
    """Decodes one stream; ``feed`` and ``take`` are called from different tasks.

    ``ready`` is set whenever ``take``, asked as it was last, or ``over`` may say something new; who waits for it clears
    it before they look. What is wrong with the bytes is raised by ``take``, behind what was decoded before, and by
    every later ``feed``: ``UnsupportedAudio``. What is wrong and does no more harm is in ``warnings``.
    """

    ready: asyncio.Event
    warnings: AudioWarnings

    async def feed(self, data: bytes) -> None:
        """More bytes; waits where the decoder is behind."""
        ...

    async def finish(self) -> None:
        """No more bytes come."""
        ...

    def take(self, at_least: int = 1) -> Decoded | None:
        """What was decoded since the last call, in one piece; None where nothing was.

        Fewer samples than ``at_least`` may be left for a later call, except at the end of the stream.
        """
        ...

    @property
    def over(self) -> bool:
        """Whether the stream was finished and all of it taken."""
        ...

    async def close(self) -> None:
        """Stop and free everything; may be called at any time, and again."""
        ...
