"""Whisper's log-mel spectrogram, of short windows."""

import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor

from captions.audio import Pcm
from inference.engine.windows import HOP, audio_frames

Floats = npt.NDArray[np.float32]

_EDGE = 4  # frames past the audio that its last analysis windows still reach
_QUIETEST = -10.0  # log10 of the power of digital silence, as Whisper clips it
_RANGE = 8.0  # what is this much (log10 of power) under the window's loudest is raised to it


class LogMel:
    """Computes the features of one model: ``n_mels`` bands."""

    def __init__(self, n_mels: int) -> None:
        self.n_mels = n_mels
        self._extractor = FeatureExtractor(feature_size=n_mels)

    def __call__(self, pcm: Pcm, frames: int) -> Floats:
        """Log-mel features of ``pcm`` followed by digital silence, shape (n_mels, frames).

        The silence is filled in, not computed: it is the spectrogram's floor. Audio past the window is cut.
        """
        computed = min(frames, audio_frames(len(pcm)) + _EDGE)
        audio = np.zeros(computed * HOP, dtype=np.float32)
        used = pcm[: computed * HOP]
        np.divide(used, 32768.0, out=audio[: len(used)], dtype=np.float32)
        mel = self._extractor(audio, padding=0)
        window = np.full((self.n_mels, frames), silence_level(loudest(mel)), dtype=np.float32)
        window[:, :computed] = mel
        return window


def loudest(mel: Floats) -> float:
    """log10 of the greatest power in a window of features."""
    return 4.0 * float(mel.max()) - 4.0


def silence_level(loudest_power: float) -> float:
    """The feature's value where there is digital silence, in a window with this log10 of its greatest power."""
    return (max(_QUIETEST, loudest_power - _RANGE) + 4.0) / 4.0
