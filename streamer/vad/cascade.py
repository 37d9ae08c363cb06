"""Silero asked only where its answer may matter: Silero's ear at a part of its price."""

import webrtcvad

from captions.audio import SAMPLE_RATE, Pcm, to_bytes
from streamer.vad.silero import SileroDetector

HANGOVER_FRAMES = 16
"""Frames that Silero goes on hearing after the last that webrtcvad called speech, half a second: as long as the pause
that ends an utterance."""

SURE_SPEECH = 0.9
SURE_SILENCE = 0.05
"""After an answer this sure the next frame is passed over: it is at most 32 ms late with what is new."""

_STEP_BYTES = 640
"""20 ms, what webrtcvad is asked about."""


class CascadeDetector:
    """Probability of speech, frame by frame of 32 ms.

    0 where webrtcvad in ``mode`` (0 lets most through, 3 is most suspicious) has heard no speech for a while; else
    Silero's answer, or its last one once more where that was sure. Silero's state is kept over frames that it is not
    asked about: forgetting it cost words in noise (docs/voice-activity.md).
    """

    frame_samples = SileroDetector.frame_samples

    def __init__(self, mode: int = 1) -> None:
        self._gate = webrtcvad.Vad(mode)
        self._silero = SileroDetector()
        self._rest = b""
        self._quiet_frames = HANGOVER_FRAMES
        self._answer = 0.0
        self._ask = True

    def probability(self, frame: Pcm) -> float:
        """Probability that ``frame``, shape (512,), holds speech."""
        self._quiet_frames = 0 if self._gate_opens(frame) else self._quiet_frames + 1
        if self._quiet_frames >= HANGOVER_FRAMES:
            self._silero.skip(frame)
            self._answer, self._ask = 0.0, True
        elif self._ask:
            self._answer = self._silero.probability(frame)
            self._ask = SURE_SILENCE < self._answer < SURE_SPEECH
        else:
            self._silero.skip(frame)
            self._ask = True
        return self._answer

    def _gate_opens(self, frame: Pcm) -> bool:
        """Whether any whole 20 ms step that this frame completes is speech to webrtcvad."""
        audio = self._rest + to_bytes(frame)
        whole = len(audio) // _STEP_BYTES * _STEP_BYTES
        self._rest = audio[whole:]
        opens = False
        for at in range(0, whole, _STEP_BYTES):  # asked of all of them: it adapts to what it hears
            opens |= self._gate.is_speech(audio[at : at + _STEP_BYTES], SAMPLE_RATE)
        return opens
