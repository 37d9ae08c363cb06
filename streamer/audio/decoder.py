"""The decoder of one stream: bytes in, samples out, and how many bytes the samples account for."""

import asyncio
from typing import NamedTuple, Protocol

from captions.audio import Pcm
from captions.audio_warnings import AudioWarnings


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
