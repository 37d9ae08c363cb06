"""The internal audio format, mono PCM16 at 16 kHz, and conversions of samples, seconds and bytes.

Positions and durations that are compared or summed are whole samples. Seconds appear only in messages and settings.
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Samples per second of all audio after the gateway's decoders."""

BYTES_PER_SAMPLE = 2

Pcm = npt.NDArray[np.int16]
"""Mono PCM16 at 16 kHz, shape (samples,)."""

NO_AUDIO: Pcm = np.zeros(0, dtype=np.int16)


def to_seconds(samples: int) -> float:
    """The duration of ``samples`` samples in seconds, rounded to the millisecond."""
    return round(samples / SAMPLE_RATE, 3)


def to_samples(seconds: float) -> int:
    """The number of samples in ``seconds`` seconds, rounded to the nearest."""
    return round(seconds * SAMPLE_RATE)


def from_bytes(data: bytes) -> Pcm:
    """Convert little-endian PCM16 bytes to samples, shape (len(data) / 2,).

    Raises ``ValueError`` for an odd number of bytes.
    """
    return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)


def to_bytes(pcm: Pcm) -> bytes:
    """Convert samples, shape (samples,), to little-endian PCM16 bytes."""
    return pcm.astype("<i2", copy=False).tobytes()
