"""Runs Silero only when its answer may matter: nearly Silero's accuracy at a part of its cost."""

import webrtcvad

from captions.audio import SAMPLE_RATE, Pcm, to_bytes
from streamer.vad.silero import SileroDetector

HANGOVER_FRAMES = 16
"""Frames for which Silero keeps running after webrtcvad's last speech: half a second, as long as the pause that ends an
utterance."""

SURE_SPEECH = 0.95
"""After such a certain answer, Silero skips one frame. The end of speech is therefore noticed at most 32 ms late.

Skipping frames after less certain answers, or in silence, makes Silero deaf to telephones (docs/voice-activity.md).
"""

_STEP_BYTES = 640
"""20 ms, the unit that webrtcvad takes."""


class CascadeDetector:
    """Returns the probability of speech of each 32 ms frame.

    It is 0 while webrtcvad in ``mode`` (0 accepts most, 3 least) has found no speech for a while. Otherwise it is
    Silero's answer, or its previous answer if it was sure of speech. Silero's state is kept over frames that it skips,
    because resetting it lost words in noise (docs/voice-activity.md).
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
        """The probability, 0 to 1, that ``frame``, shape (512,), is speech."""
        self._quiet_frames = 0 if self._gate_opens(frame) else self._quiet_frames + 1
        if self._quiet_frames >= HANGOVER_FRAMES:
            self._silero.skip(frame)
            self._answer, self._ask = 0.0, True
        elif self._ask:
            self._answer = self._silero.probability(frame)
            self._ask = self._answer < SURE_SPEECH
        else:
            self._silero.skip(frame)
            self._ask = True
        return self._answer

    def _gate_opens(self, frame: Pcm) -> bool:
        """Whether webrtcvad finds speech in any 20 ms step that this frame completes."""
        audio = self._rest + to_bytes(frame)
        whole = len(audio) // _STEP_BYTES * _STEP_BYTES
        self._rest = audio[whole:]
        opens = False
        for at in range(0, whole, _STEP_BYTES):  # all steps, because webrtcvad adapts to its input
            opens |= self._gate.is_speech(audio[at : at + _STEP_BYTES], SAMPLE_RATE)
        return opens
