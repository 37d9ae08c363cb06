"""Whether there was time to say what was written.

Where Whisper loops, dozens of words are aligned to one moment of the audio; where people repeat themselves, each
round has its own sound. So what tells a loop from a chant is the time of its words, not the text.
"""

from collections.abc import Sequence

from captions.loops import Repetition, repetition
from captions.words import Word, fold, written_with_spaces

QUICKEST_WORD = 0.1
"""Seconds that the shortest word takes."""

QUICKEST_LETTER = 0.03
"""Seconds a letter or digit of a word, where the language writes spaces; nobody keeps that up."""

QUICKEST_CHARACTER = 0.05
"""Seconds a character in languages written without spaces."""

MAX_MISSING = 0.5
"""Seconds that may be missing in a row. Word times are uncertain: by them speech lacks up to 0.34 s, loops lack seconds
(docs/windows.md)."""

UNHURRIED = 1.3
"""What a phrase and its repetitions take, of their least time, where all of them were said: people take twice the least
time and more, loops have less than the least."""


def least_time(text: str, language: str) -> float:
    """Seconds that it takes, at least, to say the word ``text`` of ``language`` (BCP 47)."""
    letters = len(fold(text))
    if not letters:
        return 0.0
    return (
        max(QUICKEST_WORD, letters * QUICKEST_LETTER) if written_with_spaces(language) else letters * QUICKEST_CHARACTER
    )


def unspoken(words: Sequence[Word], language: str, duration: float) -> list[range]:
    """The runs of ``words`` that the audio, ``duration`` seconds long, has no time for; in order.

    A run is where most time is missing (the maximum-sum segment, by Kadane's algorithm), and over ``MAX_MISSING``
    is; then likewise before and after it. Words before and after a run have their time. A word lasts until the next one
    begins. Words without times are taken to have been said. Which round of a repeated phrase is which is not told
    apart well by word times: the rounds were said where there is time for all of them, else a run goes on to their end.
    """
    if not all(word.timed for word in words):
        return []
    begins = [*(word.start or 0.0 for word in words), duration]
    needed = [least_time(word.text, language) for word in words]
    runs = _runs([need - (begins[i + 1] - begins[i]) for i, need in enumerate(needed)], 0, len(words))
    said = repetition([word.text for word in words])
    if said is None:
        return runs
    if begins[said.stop] - begins[said.begin] >= UNHURRIED * sum(needed[said.begin : said.stop]):
        return [run for run in runs if run.start < said.begin or run.stop > said.stop]
    return _to_the_end(said, runs)


def _to_the_end(said: Repetition, runs: Sequence[range]) -> list[range]:
    """``runs``, where the first that is in the rounds of ``said`` goes on to their end."""
    inside = [run for run in runs if said.begin <= run.start < said.stop]
    if not inside:
        return list(runs)
    whole = range(inside[0].start, max(inside[-1].stop, said.stop))
    return [*(run for run in runs if run.start < said.begin), whole, *(run for run in runs if run.start >= said.stop)]


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
