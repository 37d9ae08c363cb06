"""Recognises raw audio that was declared with a wrong format.

Sound is smooth: neighbouring samples differ little. If bytes of sound are decoded with a wrong format, the result is
not smooth. docs/sound-checks.md has the measurements behind the thresholds.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from captions.audio import SAMPLE_RATE, Pcm
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.samples import READ, silenced

Samples = npt.NDArray[np.generic]

ROUGH: Final = 1.0
"""Above this roughness a format may be wrong. Noise has 1 to 2, speech 0.02 to 0.8."""

SMOOTH: Final = 0.35
"""linear16 decoded as G.711, or G.711 decoded as linear16, is always rougher than this."""

SMOOTHER: Final = 0.5
"""Another format is the right one if its roughness is below this share of the declared format's."""

WIDE: Final = 8
"""The least number of 31 Hz bands that hold nearly all energy of a voice. A tone has fewer."""

SLOW_PITCH: Final = 80.0
"""Hz. No human voice has a lower median pitch."""


def roughness(samples: Samples) -> float:
    """The energy of differences between neighbouring samples, relative to the samples: 0 smooth, 2 white noise.

    ``samples`` has shape (n,) or (n, channels).
    """
    sound = samples.astype(np.float64).reshape(len(samples), -1)
    energy = float(np.sum((sound - sound.mean(axis=0)) ** 2))
    return float(np.sum(np.diff(sound, axis=0) ** 2)) / energy if energy else 0.0


def other_reading(audio: AudioFormat, data: bytes) -> str | None:
    """What the bytes of a raw stream declared as ``audio`` sound like; None if the declaration may be right.

    ``data`` should hold some seconds of sound.
    """
    whole = 16 * audio.channels  # whole sample frames in every format
    data = data[: len(data) // whole * whole]
    if not data:
        return None
    if audio.encoding is Encoding.LINEAR16:
        return _not_linear16(audio, data)
    if audio.encoding in {Encoding.MULAW, Encoding.ALAW}:
        declared = roughness(READ[audio.encoding](data).reshape(-1, audio.channels))
        linear = roughness(np.frombuffer(data, "<i2").reshape(-1, audio.channels))
        return "linear16" if declared > ROUGH and linear < SMOOTH else None
    return None


def _not_linear16(audio: AudioFormat, data: bytes) -> str | None:
    samples = np.frombuffer(data, "<i2")
    declared = roughness(samples.reshape(-1, audio.channels))
    if _is_float32(data):
        return "float32"
    if audio.channels == 1 and _is_stereo(samples):
        return "stereo"
    if audio.channels == 2 and _is_mono(samples):
        return "mono"
    found = {law: roughness(READ[law](data).reshape(-1, audio.channels)) for law in (Encoding.MULAW, Encoding.ALAW)}
    law = min(found, key=lambda other: found[other])
    if found[law] < SMOOTH and found[law] < SMOOTHER * declared:
        return law
    swapped = roughness(samples.byteswap().reshape(-1, audio.channels))
    return "big-endian linear16" if declared > ROUGH and swapped < SMOOTHER * declared else None


def _is_float32(data: bytes) -> bool:
    floats = READ[Encoding.FLOAT32](data)
    clean, bad = silenced(floats)
    plausible = np.abs(floats) <= 1.0
    loud = float(np.sqrt(np.mean(clean.astype(np.float64) ** 2))) > 1e-4  # other bytes decode to numbers close to 0
    return bad == 0 and loud and float(plausible.mean()) > 0.99


def _is_stereo(samples: Samples) -> bool:
    """Whether samples alternate between two channels: with different levels, similar in pairs, or opposite in pairs."""
    first, second, inside, between = _pairs(samples)
    unlike = not 0.8 < (second / first if first else 1.0) < 1.25
    return bool(first + second) and (unlike or inside < 0.6 * between or _alternates(samples))


def _alternates(samples: Samples) -> bool:
    """Whether two channels are unrelated or opposite, and each of them smooth."""
    return roughness(samples) > 1.5 and roughness(samples.reshape(-1, 2)) < SMOOTHER


def _is_mono(samples: Samples) -> bool:
    """Whether the two channels are consecutive samples of one smooth sound."""
    _, _, inside, between = _pairs(samples)
    return bool(between) and abs(inside / between - 1) < 0.02 and 0 < roughness(samples) < 0.35


def _pairs(samples: Samples) -> tuple[float, float, float, float]:
    """The energies of first and second samples of pairs, and those of differences inside and between pairs."""
    sound = samples.astype(np.float64)
    first, second = sound[0::2], sound[1::2]
    energies = float(np.sum(first**2)), float(np.sum(second**2))
    return *energies, float(np.sum((second - first)[:-1] ** 2)), float(np.sum((first[1:] - second[:-1]) ** 2))


def sounds_slow(pcm: Pcm) -> bool:
    """Whether sound at 16 kHz was recorded at a higher rate: it has nothing above 3 kHz, and too low a pitch.

    ``pcm`` has shape (samples,) and should hold some seconds.
    """
    size = 512
    frames = pcm[: len(pcm) // size * size].reshape(-1, size).astype(np.float64)
    if len(frames) < 16:
        return False
    power = np.abs(np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size), axis=1)) ** 2
    loud = power.sum(axis=1)
    spectrum = power[loud >= np.percentile(loud, 60)].mean(axis=0)
    above = float(spectrum[size * 3000 // SAMPLE_RATE :].sum() / max(spectrum.sum(), 1e-9))
    ranked = np.sort(spectrum)[::-1].cumsum()
    wide = int(np.searchsorted(ranked, 0.95 * ranked[-1])) >= WIDE
    return above < 10**-5.5 and ((wide and above < 1e-8) or 0 < _pitch(pcm) < SLOW_PITCH)


def _pitch(pcm: Pcm) -> float:
    """The median pitch of loud voiced frames in Hz, by autocorrelation; 0 if there are too few."""
    size, found = 2048, []
    level = float(np.mean(pcm.astype(np.float64) ** 2))
    for at in range(0, len(pcm) - size, size):
        frame = pcm[at : at + size].astype(np.float64)
        frame -= frame.mean()
        if np.mean(frame**2) < level:
            continue
        alike = np.fft.irfft(np.abs(np.fft.rfft(frame, 4 * size)) ** 2)
        alike = alike[SAMPLE_RATE // 800 : SAMPLE_RATE // 25] / max(float(alike[0]), 1e-9)
        peaks = np.flatnonzero((alike[1:-1] > alike[:-2]) & (alike[1:-1] >= alike[2:]) & (alike[1:-1] > 0.5)) + 1
        if len(peaks):
            strong = peaks[alike[peaks] > 0.85 * alike[peaks].max()]
            found.append(SAMPLE_RATE / (SAMPLE_RATE // 800 + int(strong[0])))
    return float(np.median(found)) if len(found) > 4 else 0.0
