"""Samples as floats, and their conversion to PCM16."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
"""Samples in -1..1."""


def to_pcm16(samples: Floats) -> npt.NDArray[np.int16]:
    """Convert floats in -1..1 to PCM16, rounded and clipped. The shape stays."""
    pcm: npt.NDArray[np.int16] = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype(np.int16)
    return pcm
