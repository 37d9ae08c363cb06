"""WebRTC's voice activity detector (Gaussian mixtures on six bands), 3 us a frame."""

import webrtcvad

from captions.audio import SAMPLE_RATE, Pcm, to_bytes


class WebrtcDetector:
    """Speech or not, frame by frame of 20 ms. ``mode`` is 0 (lets most through) to 3 (most suspicious).

    3 misses people who speak softly; it calls noise speech in every mode (docs/voice-activity.md).
    """

    frame_samples = 320

    def __init__(self, mode: int = 2) -> None:
        self._vad = webrtcvad.Vad(mode)

    def probability(self, frame: Pcm) -> float:
        """1.0 for speech, 0.0 for anything else: this detector knows no doubt."""
        return float(self._vad.is_speech(to_bytes(frame), SAMPLE_RATE))
