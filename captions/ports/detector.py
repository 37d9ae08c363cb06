"""The SpeechDetector port. Each stream has an instance of its own."""

from typing import Protocol

from captions.audio import Pcm


class SpeechDetector(Protocol):
    """Voice activity detection, frame by frame, on one stream.

    Frames are consecutive. An implementation may keep state between them.
    """

    @property
    def frame_samples(self) -> int:
        """The number of samples per frame."""
        ...

    def probability(self, frame: Pcm) -> float:
        """The probability, in 0..1, that ``frame`` contains speech. Shape: (frame_samples,)."""
        ...
