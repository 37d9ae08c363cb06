"""Human speech with word times from ../shared/speech, and clips made of it for tests and benchmarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from faster_whisper.audio import decode_audio

from captions.audio import SAMPLE_RATE, Pcm, to_samples

SHARED = Path(__file__).resolve().parents[2] / "shared"


class Timed(NamedTuple):
    """A word and its times in seconds, from forced alignment."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech and its text."""

    pcm: Pcm
    text: str


def stems() -> tuple[str, ...]:
    """The names of the recordings that have word times."""
    return tuple(sorted(path.stem for path in (SHARED / "speech").glob("*.ctm")))


@cache
def recording(stem: str) -> tuple[Pcm, tuple[Timed, ...]]:
    """A recording and its words."""
    audio = decode_audio(str(SHARED / "speech" / f"{stem}.flac"), sampling_rate=SAMPLE_RATE)
    rows = [line.split() for line in (SHARED / "speech" / f"{stem}.ctm").read_text().splitlines()]
    words = tuple(Timed(row[4], float(row[2]), float(row[2]) + float(row[3])) for row in rows)
    return np.round(audio * 32767).astype(np.int16), words


def utterances(stem: str, *, pause: float = 0.5, longest: float = 18.0) -> Iterator[Utterance]:
    """Yield a recording cut at pauses of ``pause`` seconds in the reference, or after ``longest`` seconds."""
    pcm, words = recording(stem)
    first = 0
    for i in range(1, len(words) + 1):
        if i < len(words) and words[i].start - words[i - 1].end < pause and words[i].end - words[first].start < longest:
            continue
        before = words[first - 1].end if first else 0.0
        after = words[i].start if i < len(words) else len(pcm) / SAMPLE_RATE
        start = max(words[first].start - 0.25, (before + words[first].start) / 2 if first else 0.0)
        end = min(words[i - 1].end + 0.35, (words[i - 1].end + after) / 2 if i < len(words) else after)
        text = " ".join(word.text for word in words[first:i])
        yield Utterance(pcm[to_samples(start) : to_samples(end)], text)
        first = i


def phrases(*, gap: float, most_words: int, longest: float = 2.2) -> Iterator[Utterance]:
    """Yield phrases of at most ``most_words`` words between gaps of at least ``gap`` seconds, without the gaps."""
    for stem in stems():
        pcm, words = recording(stem)
        edges = [-1.0, *(word.end for word in words)], [*(word.start for word in words), len(pcm) / SAMPLE_RATE]
        cuts = [i for i, (end, start) in enumerate(zip(*edges, strict=True)) if start - end >= gap]
        for first, stop in pairwise(cuts):
            said = words[first:stop]
            if len(said) <= most_words and said[-1].end - said[0].start <= longest:
                reach = gap / 2
                start, end = max(0, to_samples(said[0].start - reach)), to_samples(said[-1].end + reach)
                yield Utterance(pcm[start:end], " ".join(word.text for word in said))


def between_pauses(pcm: Pcm, *, before: float = 0.25, after: float = 0.2, floor: float = 6.0) -> Pcm:
    """``pcm`` as the segmenter would send it: faded in and out, with quiet noise before and after it.

    ``before`` and ``after`` are in seconds. ``floor`` is the standard deviation of the noise in PCM16. The same audio
    gives the same noise.
    """
    faded, edge = pcm.astype(np.float64), min(80, len(pcm) // 2)
    faded[:edge] *= np.linspace(0, 1, edge)
    faded[len(faded) - edge :] *= np.linspace(1, 0, edge)
    padded = np.concatenate([np.zeros(to_samples(before)), faded, np.zeros(to_samples(after))])
    noise = np.random.default_rng(len(pcm)).normal(0, floor, len(padded))
    return np.clip(np.round(padded + noise), -32768, 32767).astype(np.int16)


def repeated(utterance: Utterance, times: int, *, apart: float = 0.2, then: Utterance | None = None) -> Utterance:
    """``utterance`` repeated ``times`` times, ``apart`` seconds apart, followed by ``then``."""
    parts = [utterance] * times + ([then] if then is not None else [])
    quiet = np.zeros(to_samples(apart), dtype=np.int16)
    pcm = np.concatenate([piece for part in parts for piece in (part.pcm, quiet)])
    return Utterance(between_pauses(pcm), " ".join(part.text for part in parts))
