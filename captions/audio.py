"""The one audio format inside the house, and arithmetic on its samples.

Positions and durations are whole samples at 16 kHz wherever they are compared or summed; seconds appear only
at the edges (messages, settings).
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Samples a second of all audio past the gateway's decoders."""

BYTES_PER_SAMPLE = 2

Pcm = npt.NDArray[np.int16]
"""Mono PCM16 at 16 kHz, shape (samples,)."""

NO_AUDIO: Pcm = np.zeros(0, dtype=np.int16)


def to_seconds(samples: int) -> float:
    """Duration in seconds of ``samples`` samples, rounded to the millisecond."""
    return round(samples / SAMPLE_RATE, 3)


def to_samples(seconds: float) -> int:
    """Nearest whole number of samples in ``seconds`` seconds."""
    return round(seconds * SAMPLE_RATE)


def from_bytes(data: bytes) -> Pcm:
    """Little-endian PCM16 bytes as samples, shape (len(data) / 2,).

    Raises ``ValueError`` on an odd number of bytes.
    """
    return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)


def to_bytes(pcm: Pcm) -> bytes:
    """Samples as little-endian PCM16 bytes."""
    return pcm.astype("<i2", copy=False).tobytes()
