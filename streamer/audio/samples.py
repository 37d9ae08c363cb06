"""Converts raw sample encodings to floats in -1..1."""

from collections.abc import Callable

import numpy as np

from captions.stream_options import Encoding
from streamer.audio.floats import Floats

LOUDEST_PLAUSIBLE = 1000.0
"""Larger float32 samples are invalid. Other data that is decoded as float32 gives extremely large numbers."""


def _linear16(data: bytes) -> Floats:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def _float32(data: bytes) -> Floats:
    return np.frombuffer(data, "<f4").astype(np.float32)


def silenced(samples: Floats) -> tuple[Floats, int]:
    """Clip ``samples``, shape (samples,), to -1..1, and replace invalid ones by silence. Also returns their number.

    Samples are invalid if they are not finite or beyond ``LOUDEST_PLAUSIBLE``.
    """
    good = np.abs(samples) <= LOUDEST_PLAUSIBLE  # false for NaN
    bad = len(samples) - int(np.count_nonzero(good))
    return np.clip(np.where(good, samples, np.float32(0)) if bad else samples, -1.0, 1.0), bad


def _mulaw_table() -> Floats:
    codes = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((codes & 0x0F) << 3) + 0x84 << ((codes & 0x70) >> 4)) - 0x84
    return (np.where(codes & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def _alaw_table() -> Floats:
    codes = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (codes & 0x70) >> 4, (codes & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, mantissa + 0x108 << np.maximum(exponent - 1, 0))
    return (np.where(codes & 0x80, magnitude, -magnitude) / 32768).astype(np.float32)


_MULAW, _ALAW = _mulaw_table(), _alaw_table()

BYTES = {Encoding.LINEAR16: 2, Encoding.FLOAT32: 4, Encoding.MULAW: 1, Encoding.ALAW: 1}
"""Bytes per sample."""

READ: dict[Encoding, Callable[[bytes], Floats]] = {
    Encoding.LINEAR16: _linear16,
    Encoding.FLOAT32: _float32,
    Encoding.MULAW: lambda data: _MULAW[np.frombuffer(data, np.uint8)],
    Encoding.ALAW: lambda data: _ALAW[np.frombuffer(data, np.uint8)],
}
"""Decoders of whole samples to floats, shape (samples,). mulaw and alaw follow ITU-T G.711."""
