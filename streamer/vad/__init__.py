"""Voice activity detectors. Each stream has its own instance."""

from collections.abc import Callable
from typing import Literal

from captions.ports.detector import SpeechDetector
from streamer.vad.cascade import CascadeDetector
from streamer.vad.high_pass import HighPassed
from streamer.vad.silero import SileroDetector
from streamer.vad.webrtc import WebrtcDetector

DetectorName = Literal["cascade", "silero", "webrtc"]


def detector_factory(name: DetectorName) -> Callable[[], SpeechDetector]:
    """Return a function that creates a detector, with a high-pass filter before it, for each stream.

    Raises ``SetupError`` immediately if the detector's model is missing.
    """
    kinds: dict[DetectorName, Callable[[], SpeechDetector]] = {
        "cascade": CascadeDetector,
        "silero": SileroDetector,
        "webrtc": WebrtcDetector,
    }
    kind = kinds[name]
    kind()
    return lambda: HighPassed(kind())
