"""Voice activity detectors, one instance a stream."""

from collections.abc import Callable
from typing import Literal

from captions.ports.detector import SpeechDetector
from streamer.vad.cascade import CascadeDetector
from streamer.vad.high_pass import HighPassed
from streamer.vad.silero import SileroDetector
from streamer.vad.webrtc import WebrtcDetector

DetectorName = Literal["cascade", "silero", "webrtc"]


def detector_factory(name: DetectorName) -> Callable[[], SpeechDetector]:
    """What makes a detector for each stream, behind a high-pass filter.

    Raises ``SetupError`` at once where its model is missing.
    """
    kinds: dict[DetectorName, Callable[[], SpeechDetector]] = {
        "cascade": CascadeDetector,
        "silero": SileroDetector,
        "webrtc": WebrtcDetector,
    }
    kind = kinds[name]
    kind()
    return lambda: HighPassed(kind())
