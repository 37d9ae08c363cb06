"""Detection of words that the audio has no time for.

When Whisper loops, it aligns dozens of words to one moment of the audio. When people repeat themselves, every
repetition takes time. Word times therefore separate a loop from a chant; the text alone does not.
"""

from collections.abc import Sequence

from captions.loops import Repetition, repetition
from captions.words import Word, fold, written_with_spaces

QUICKEST_WORD = 0.1
"""The duration of the shortest word, in seconds."""

QUICKEST_LETTER = 0.03
"""Seconds per letter or digit in languages written with spaces. Nobody speaks faster than this for long."""

QUICKEST_CHARACTER = 0.05
"""Seconds per character in languages written without spaces."""

MAX_MISSING = 0.5
"""The most seconds that a run of words may lack. Word times are inexact: real speech lacks up to 0.34 s by them, loops
lack several seconds (docs/windows.md)."""

UNHURRIED = 1.3
"""The least duration of a phrase with its repetitions, as a multiple of their least time, at which all of them count as
spoken. People take at least twice the least time; loops have less than the least time."""


def least_time(text: str, language: str) -> float:
    """The least number of seconds it takes to say the word ``text`` in ``language`` (BCP 47)."""
    letters = len(fold(text))
    if not letters:
        return 0.0
    return (
        max(QUICKEST_WORD, letters * QUICKEST_LETTER) if written_with_spaces(language) else letters * QUICKEST_CHARACTER
    )


def unspoken(words: Sequence[Word], language: str, duration: float) -> list[range]:
    """The runs of ``words`` that ``duration`` seconds of audio have no time for, in order.

    A word lasts until the next word begins. A run is the stretch that lacks the most time (the maximum-sum segment,
    found with Kadane's algorithm), if it lacks more than ``MAX_MISSING``. The words before and after it are searched
    the same way. Words without times count as spoken.

    Word times do not separate the repetitions of a phrase well. If there is time for all repetitions, all of them count
    as spoken. Otherwise a run that begins in them extends to their end.
    """
    if not all(word.timed for word in words):
        return []
    begins = [*(word.start or 0.0 for word in words), duration]
    needed = [least_time(word.text, language) for word in words]
    runs = _runs([need - (begins[i + 1] - begins[i]) for i, need in enumerate(needed)], 0, len(words))
    repeated = repetition([word.text for word in words])
    if repeated is None:
        return runs
    duration_of_all = begins[repeated.stop] - begins[repeated.begin]
    if duration_of_all >= UNHURRIED * sum(needed[repeated.begin : repeated.stop]):
        return [run for run in runs if run.start < repeated.begin or run.stop > repeated.stop]
    return _extended(runs, repeated)


def _extended(runs: Sequence[range], repeated: Repetition) -> list[range]:
    """``runs``, with the first run that begins in the repetitions extended to their end."""
    begin, stop = repeated.begin, repeated.stop
    inside = [run for run in runs if begin <= run.start < stop]
    if not inside:
        return list(runs)
    whole = range(inside[0].start, max(inside[-1].stop, stop))
    return [*(run for run in runs if run.start < begin), whole, *(run for run in runs if run.start >= stop)]


def _runs(missing: Sequence[float], begin: int, end: int) -> list[range]:
    run, most = range(0), MAX_MISSING
    total, first = 0.0, begin
    for i in range(begin, end):
        if total <= 0.0:
            total, first = 0.0, i
        total += missing[i]
        if total > most:
            run, most = range(first, i + 1), total
    if not run:
        return []
    return [*_runs(missing, begin, run.start), run, *_runs(missing, run.stop, end)]
