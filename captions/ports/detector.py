"""The SpeechDetector port: one instance listens to one stream."""

from typing import Protocol

from captions.audio import Pcm


class SpeechDetector(Protocol):
    """Voice activity detection, frame after frame of one stream.

    The frames are consecutive: an implementation may carry state from one to the next.
    """

    @property
    def frame_samples(self) -> int:
        """Samples in every frame that ``probability`` is asked about."""
        ...

    def probability(self, frame: Pcm) -> float:
        """Probability in 0..1 that ``frame``, shape (frame_samples,), holds speech."""
        ...
