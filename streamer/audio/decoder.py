"""The interface of an audio decoder: bytes in, samples out, with the number of bytes that the samples represent."""

import asyncio
from typing import NamedTuple, Protocol

from captions.audio import Pcm
from captions.audio_warnings import AudioWarnings


class Decoded(NamedTuple):
    """Samples, shape (samples,), and a byte offset: all bytes before it are decoded in these or earlier samples."""

    pcm: Pcm
    offset: int


class AudioDecoder(Protocol):
    """Decodes one stream. ``feed`` and ``take`` are called from different tasks.

    ``ready`` is set when ``take``, called as last time, or ``over`` may return something new. The caller clears it
    before it calls them. If the bytes cannot be decoded, ``take`` raises ``UnsupportedAudio`` after it has returned all
    samples before them, and so does every later ``feed``. Problems that decoding survives are in ``warnings``.
    """

    ready: asyncio.Event
    warnings: AudioWarnings

    async def feed(self, data: bytes) -> None:
        """Take the next bytes. Waits if the decoder is behind."""
        ...

    async def finish(self) -> None:
        """End the stream after the bytes so far."""
        ...

    def take(self, at_least: int = 1) -> Decoded | None:
        """Return all samples since the last call as one piece; None if there are none.

        If there are fewer samples than ``at_least``, the decoder may keep them until there are more or the stream ends.
        """
        ...

    @property
    def over(self) -> bool:
        """Whether the stream was finished and all its samples were taken."""
        ...

    async def close(self) -> None:
        """Stop and free all resources. May be called at any time and more than once."""
        ...
