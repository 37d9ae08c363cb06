"""Warnings for recordings with right and wrong declarations: ``python -m bench.sound_checks``.

The first 20 s of every recording in ../shared/speech, speech2, talk and noise are sent as declared, and then in formats
that differ from the declaration. Each row counts the recordings that got a warning.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
from faster_whisper.audio import decode_audio

from bench.spoken import SHARED
from captions.audio import SAMPLE_RATE, Pcm, from_bytes
from captions.audio_warnings import AudioWarnings
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.declaration import Declaration
from streamer.audio.floats import to_pcm16
from streamer.audio.levels import Levels
from streamer.audio.samples import READ

Floats = npt.NDArray[np.float32]
SECONDS = 20
FOLDERS = ("speech", "speech2", "talk", "noise")
SUFFIXES = frozenset({".flac", ".wav", ".ogg", ".mp3"})
LINEAR, STEREO = AudioFormat(), AudioFormat(channels=2)
MULAW = AudioFormat(Encoding.MULAW, 8_000)


def recordings() -> Iterator[tuple[str, Floats]]:
    """Yield names and samples in -1..1 at 16 kHz."""
    for path in sorted(path for folder in FOLDERS for path in (SHARED / folder).iterdir() if path.suffix in SUFFIXES):
        yield path.stem, read(path)


def read(path: Path) -> Floats:
    """The beginning of a recording."""
    samples: Floats = decode_audio(str(path), sampling_rate=SAMPLE_RATE)[: SECONDS * SAMPLE_RATE]
    return samples


def g711(law: Encoding, samples: Floats) -> bytes:
    """Encode as mulaw or alaw."""
    table = READ[law](bytes(range(256)))
    order = np.argsort(table)
    at = np.clip(np.searchsorted(table[order], samples), 1, 255)
    nearer = np.abs(table[order][at - 1] - samples) < np.abs(table[order][at] - samples)
    return order[np.where(nearer, at - 1, at)].astype(np.uint8).tobytes()


def stereo(left: Floats, right: Floats) -> bytes:
    """Interleave two channels."""
    return np.stack([to_pcm16(left), to_pcm16(right)], axis=1).tobytes()


def at_rate(samples: Floats, rate: int) -> bytes:
    """Resample to ``rate`` Hz and add the noise of a microphone's converter."""
    resampled = soxr.resample(samples, SAMPLE_RATE, rate)
    noise = np.random.default_rng(1).normal(0, 3e-5, len(resampled))
    return to_pcm16((resampled + noise).astype(np.float32)).tobytes()


def moved(samples: Floats) -> Floats:
    """The signal as a second microphone receives it."""
    return np.roll(samples, 5) * np.float32(0.8)


WAYS: dict[str, tuple[AudioFormat, Callable[[Floats], bytes]]] = {
    "linear16, as declared": (LINEAR, lambda x: to_pcm16(x).tobytes()),
    "stereo, as declared": (STEREO, lambda x: stereo(x, moved(x))),
    "two speakers in stereo, as declared": (STEREO, lambda x: stereo(x, np.roll(x, len(x) // 2))),
    "mulaw, as declared": (MULAW, lambda x: g711(Encoding.MULAW, soxr.resample(x, SAMPLE_RATE, 8000))),
    "big-endian": (LINEAR, lambda x: to_pcm16(x).astype(">i2").tobytes()),
    "float32 declared linear16": (LINEAR, lambda x: x.astype("<f4").tobytes()),
    "mulaw declared linear16": (LINEAR, lambda x: g711(Encoding.MULAW, x)),
    "alaw declared linear16": (LINEAR, lambda x: g711(Encoding.ALAW, x)),
    "linear16 declared mulaw": (MULAW, lambda x: to_pcm16(x).tobytes()),
    "stereo declared mono, channels alike": (LINEAR, lambda x: stereo(x, x)),
    "stereo declared mono, two microphones": (LINEAR, lambda x: stereo(x, moved(x))),
    "stereo declared mono, one channel dead": (LINEAR, lambda x: stereo(x, x * 0)),
    "stereo declared mono, opposite phase": (LINEAR, lambda x: stereo(x, -x)),
    "mono declared stereo": (STEREO, lambda x: to_pcm16(x[: len(x) // 2 * 2]).tobytes()),
    "48 kHz declared 16 kHz": (LINEAR, lambda x: at_rate(x, 48_000)),
    "44.1 kHz declared 16 kHz": (LINEAR, lambda x: at_rate(x, 44_100)),
    "32 kHz declared 16 kHz": (LINEAR, lambda x: at_rate(x, 32_000)),
    "8 kHz declared 16 kHz": (LINEAR, lambda x: at_rate(x, 8_000)),
}


def sounds_like(audio: AudioFormat, data: bytes) -> str:
    """What the warning says that the stream sounds like; empty without a warning."""
    warnings = AudioWarnings()
    declaration, size = Declaration(audio, warnings), 3200
    for at in range(0, len(data) // size * size, size):
        piece = data[at : at + size]
        declaration.add_bytes(piece)
        if audio == LINEAR:
            declaration.add_samples(from_bytes(piece))
    declaration.finish()
    return ", ".join(warning.message.partition(",")[0].removeprefix("This sounds like ") for warning in warnings.all)


def levels_of(pcm: Pcm) -> list[str]:
    """The codes of the warnings about a stream's level."""
    warnings = AudioWarnings()
    levels = Levels(warnings)
    for at in range(0, len(pcm), 640):
        levels.add(pcm[at : at + 640])
    return [warning.code.value for warning in warnings.all]


def main() -> None:
    """Print the Markdown table and the cost of the checks."""
    everything = [samples for _, samples in recordings()]
    print(f"{len(everything)} recordings\n\n| sent | warned | sounds like, according to the warning |\n|---|---|---|")
    for way, (audio, made) in WAYS.items():
        said = Counter(sounds_like(audio, made(samples)) for samples in everything)
        quiet = said.pop("", 0)
        heard = ", ".join(f"{what} {count}" for what, count in said.most_common())
        print(f"| {way} | {len(everything) - quiet} | {heard} |", flush=True)
    streams = [to_pcm16(samples) for samples in everything]
    began = time.process_time()
    levels = Counter(code for pcm in streams for code in levels_of(pcm))
    spent = (time.process_time() - began) / sum(len(pcm) / SAMPLE_RATE for pcm in streams)
    print(f"\nlevels: {dict(levels)}; {spent * 1e6:.0f} us of CPU per second of audio")
    data = [pcm.tobytes() for pcm in streams]
    began = time.process_time()
    for one in data:
        sounds_like(LINEAR, one)
    print(f"declaration: {(time.process_time() - began) / len(data) * 1e3:.0f} ms of CPU per stream of {SECONDS} s")


if __name__ == "__main__":
    main()
