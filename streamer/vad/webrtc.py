"""WebRTC's voice activity detector: Gaussian mixtures on six bands, 3 µs per frame."""

import webrtcvad

from captions.audio import SAMPLE_RATE, Pcm, to_bytes


class WebrtcDetector:
    """Decides for each 20 ms frame whether it is speech. ``mode`` is 0 (accepts most) to 3 (accepts least).

    Mode 3 misses soft speech, and every mode takes some noise for speech (docs/voice-activity.md).
    """

    frame_samples = 320

    def __init__(self, mode: int = 2) -> None:
        self._vad = webrtcvad.Vad(mode)

    def probability(self, frame: Pcm) -> float:
        """1.0 if ``frame``, shape (320,), is speech, 0.0 if not. This detector gives no values between."""
        return float(self._vad.is_speech(to_bytes(frame), SAMPLE_RATE))
