"""Silero asked only about frames that webrtcvad calls speech: nearly Silero's ear at nearly webrtcvad's price."""

import webrtcvad

from captions.audio import SAMPLE_RATE, Pcm, to_bytes
from streamer.vad.silero import SileroDetector

HANGOVER_FRAMES = 16
"""Frames that Silero goes on hearing after the last that webrtcvad called speech, half a second: its state stays
warm across the pauses inside an utterance."""


class CascadeDetector:
    """Probability of speech, frame by frame of 32 ms; 0 where webrtcvad has heard no speech for a while."""

    frame_samples = SileroDetector.frame_samples
    _STEP = 320

    def __init__(self, mode: int = 1) -> None:
        self._gate = webrtcvad.Vad(mode)
        self._silero = SileroDetector()
        self._rest = b""
        self._quiet_frames = HANGOVER_FRAMES

    def probability(self, frame: Pcm) -> float:
        """Probability that ``frame``, shape (512,), holds speech."""
        if self._gate_opens(frame):
            self._quiet_frames = 0
        else:
            self._quiet_frames += 1
        if self._quiet_frames >= HANGOVER_FRAMES:
            if self._quiet_frames == HANGOVER_FRAMES:
                self._silero.reset()
            self._silero.skip(frame)
            return 0.0
        return self._silero.probability(frame)

    def _gate_opens(self, frame: Pcm) -> bool:
        """Whether any whole 20 ms step that this frame completes is speech to webrtcvad."""
        audio = self._rest + to_bytes(frame)
        size = 2 * self._STEP
        whole = len(audio) // size * size
        self._rest = audio[whole:]
        steps = [audio[at : at + size] for at in range(0, whole, size)]
        return True in [self._gate.is_speech(step, SAMPLE_RATE) for step in steps]  # asked of all: it adapts
