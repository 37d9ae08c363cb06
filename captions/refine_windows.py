"""The second pass, as arithmetic: which utterances are decoded together, and which words belong to which of them.

Windows depend on what a track says and when it was logged, and on nothing else: not on other tracks, load or the time
of reading. At every 16th utterance, and after a long silence, a stretch begins, and no window reaches over its start.
So whoever begins to read in the middle of a track finds the same windows from the next stretch on.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from captions.audio import Pcm, to_samples, to_seconds
from captions.language import primary
from captions.words import Word

STRIDE = 16
"""Utterances of a stretch at most. The number of an utterance says whether it begins one."""

SILENCE = 60.0
"""Seconds without an utterance on the log after which a stretch begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How finished speech is put together, in seconds."""

    longest: float = 28.0
    """Sound of a window, kept pauses included. Whisper hears 30."""
    reach: float = 30.0
    """From the end of a window's first utterance to the end of its last, on the track."""
    pause: float = 3.0
    """A longer pause on the track ends a window."""
    quiet: float = 6.0
    """So long without a new utterance on the log ends a window too: a muted track has no audio to measure."""
    kept: float = 0.5
    """What is kept of a pause inside a window, as digital silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An utterance: its number, and its audio from ``start`` to ``end``, in samples on the track.

    ``sent`` is the position up to which audio was sent, which is after ``end`` where it was cut at a quieter point.
    ``began`` and ``ended`` are when its first and last segment were appended to the log, in epoch seconds.
    ``alike`` is what the utterances of one window have in common: their session, model and languages.
    """

    number: int
    start: int
    end: int
    sent: int
    began: float
    ended: float
    alike: Hashable = None


def begins_stretch(span: Span, before: Span | None) -> bool:
    """Whether an utterance begins a stretch, after the one before it on its track; None where none is known."""
    if span.number % STRIDE == 0:
        return True
    return before is not None and (
        span.number // STRIDE != before.number // STRIDE or span.began - before.ended > SILENCE
    )


def ends_window(window: Sequence[Span], span: Span, settings: WindowSettings) -> bool:
    """Whether a window of the utterances in ``window`` is over when ``span`` follows.

    Once it is so for a span that still grows, it stays so. So a window is over as early as that is known.
    """
    last = window[-1]
    return (
        begins_stretch(span, last)
        or span.alike != last.alike
        or span.start - last.end > to_samples(settings.pause)
        or span.began - last.ended > settings.quiet
        or span.sent - window[0].end > to_samples(settings.reach)
        or Layout((*window, replace(span, end=span.sent)), settings).samples > to_samples(settings.longest)
    )


def windows(spans: Iterable[Span], settings: WindowSettings) -> list[list[Span]]:
    """All windows of the utterances of a track, in order; the last one may not be over yet."""
    found: list[list[Span]] = []
    for span in spans:
        if found and not ends_window(found[-1], span, settings):
            found[-1].append(span)
        else:
            found.append([span])
    return found


def runs(languages: Sequence[str | None]) -> list[range]:
    """Where the utterances of a window are cut, so that the captions of each part are in one language (BCP 47).

    None, for a caption without words, goes with those before it, or else with those after it.
    """
    found: list[range] = []
    start, spoken = 0, None
    for at, language in enumerate(languages):
        if language is None:
            continue
        if spoken is not None and primary(language) != spoken:
            found.append(range(start, at))
            start = at
        spoken = primary(language)
    return [*found, range(start, len(languages))]


class Layout:
    """Where the utterances of one window are in it. ``spans`` are in order, at least one."""

    def __init__(self, spans: Sequence[Span], settings: WindowSettings) -> None:
        kept = to_samples(settings.kept)
        gaps = [min(kept, max(0, after.start - before.end)) for before, after in pairwise(spans)]
        lengths = [span.end - span.start for span in spans]
        self.starts = [sum(lengths[:i]) + sum(gaps[:i]) for i in range(len(spans))]
        """Where each begins, in samples from the window's start."""
        self.ends = [start + length for start, length in zip(self.starts, lengths, strict=True)]
        """Where each ends, likewise."""
        self.samples = self.ends[-1]
        """The length of the window."""

    def audio(self, pcms: Sequence[Pcm]) -> Pcm:
        """The window's audio, shape (samples,), of that of its utterances."""
        joined = np.zeros(self.samples, dtype=np.int16)
        for start, end, pcm in zip(self.starts, self.ends, pcms, strict=True):
            joined[start:end] = pcm
        return joined

    def shares(self, words: Sequence[Word]) -> list[tuple[Word, ...]]:
        """The words of each utterance, with times from its first sample. Each word is in exactly one share.

        A word belongs to the utterance in which it begins: the end of a last word reaches over the pause. One that
        begins in a pause belongs to the next. None belongs to an utterance before that of the word before it, and words
        without times belong with the word before them.
        """
        shares: list[list[Word]] = [[] for _ in self.starts]
        at = 0
        for word in words:
            if word.start is not None:
                at = max(at, self._owner(word.start))
            shares[at].append(self._moved(word, at))
        return [tuple(share) for share in shares]

    def _owner(self, start: float) -> int:
        """The utterance that has second ``start`` of the window, or the next one; the last one after all of them."""
        return min(bisect_right(self.ends, to_samples(start)), len(self.ends) - 1)

    def _moved(self, word: Word, at: int) -> Word:
        """The word with times from its utterance's first sample, and within the utterance."""
        if word.start is None or word.end is None:
            return word
        origin, longest = to_seconds(self.starts[at]), to_seconds(self.ends[at] - self.starts[at])
        start, end = (min(longest, max(0.0, time - origin)) for time in (word.start, word.end))
        return replace(word, start=round(start, 3), end=round(end, 3))
