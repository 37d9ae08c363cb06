"""Words that were nearly heard right, replaced by the term that they sound like."""

import re
from collections.abc import Sequence
from dataclasses import replace

from captions.glossary import Glossary, Match, bare
from captions.words import Word

_NEAR = 0.75
"""The least similarity to a term of words that are replaced, unless their letters are the term's."""

_UNSURE = 0.6
"""The confidence, the mean of the words, under which they are replaced for sounding alike."""

_SURE = 0.9
"""The confidence from which one word that is written like a term's sound is taken at its word."""

_FEWEST_LETTERS = 6
"""Of words that are replaced for sounding alike: shorter ones sound alike by chance."""

_FEWEST_SAME = 4
"""Letters of words that are replaced for having the same letters: "us" is not "US"."""

_BEFORE = re.compile(r"\W*")
_GENITIVES = ("'s", "\u2019s")


def corrected(words: Sequence[Word], glossary: Glossary) -> tuple[Word, ...]:
    """``words`` with near-misses of terms replaced, each run of words by one.

    A replacement has the punctuation and the times of the run, the similarity as its confidence, and what was heard as
    ``corrected_from``. Words that are a term already stay. Words without a confidence are replaced only if they are
    written like a term's sound, letter for letter.
    """
    replacements: dict[int, Match] = {}
    taken: set[int] = set()
    for match in glossary.matches(words):
        run = range(match.start, match.end)
        if taken.isdisjoint(run) and (match.spelt or _is_meant(match, words)):
            taken.update(run)
            if not match.spelt or _is_odd(match, words):
                replacements[match.start] = match
    found: list[Word] = []
    position = 0
    while position < len(words):
        match_here = replacements.get(position)
        found.append(_replaced(match_here, words) if match_here else words[position])
        position = match_here.end if match_here else position + 1
    return tuple(found)


def respelt(words: Sequence[Word], glossary: Glossary) -> tuple[Word, ...]:
    """``words`` with single words written as the terms are whose letters they have.

    No word is another without case and punctuation: nothing that compares partials notices.
    """
    return tuple(_respelt(word, glossary) for word in words)


def _respelt(word: Word, glossary: Glossary) -> Word:
    term, heard = glossary.spelling(word), bare(word.text)
    if term is None or not heard or len(word.folded) < _FEWEST_SAME or _as_written(heard, term):
        return word
    return replace(word, text=word.text.replace(heard, term))


def _is_meant(match: Match, words: Sequence[Word]) -> bool:
    """Whether other letters than the term's may be replaced by it."""
    run = words[match.start : match.end]
    letters = sum(len(word.folded) for word in run)
    sure = [word.confidence for word in run if word.confidence is not None]
    confidence = sum(sure) / len(sure) if len(sure) == len(run) else None
    if match.sounds_like and letters >= _FEWEST_SAME:
        return len(run) > 1 or (confidence is not None and confidence < _SURE)
    return match.similarity >= _NEAR and letters >= _FEWEST_LETTERS and confidence is not None and confidence < _UNSURE


def _is_odd(match: Match, words: Sequence[Word]) -> bool:
    """Whether the run has the letters of the term and is still not how the term is written."""
    run = words[match.start : match.end]
    heard = bare(" ".join(word.text for word in run))
    return sum(len(word.folded) for word in run) >= _FEWEST_SAME and not _as_written(heard, match.term.text)


def _as_written(heard: str, term: str) -> bool:
    """Whether ``heard`` is how ``term`` is written. A word may have a capital in front: sentences begin with one."""
    return heard == term or (heard[1:] == term[1:] and term[1:] == term[1:].lower())


def _replaced(match: Match, words: Sequence[Word]) -> Word:
    run, term = words[match.start : match.end], match.term.text
    heard = " ".join(word.text for word in run)
    before, after = _around(heard)
    if bare(term).endswith(_GENITIVES) and after.startswith(_GENITIVES):
        after = after[2:]
    return Word(
        before + term + after, run[0].start, run[-1].end, round(match.similarity, 3), corrected_from=bare(heard)
    )


def _around(heard: str) -> tuple[str, str]:
    """The punctuation before and behind words, the latter with the ``'s`` of a genitive."""
    found = _BEFORE.match(heard)
    begin = found.end() if found else 0
    # the other way round: a pattern that is bound to the end takes the square of the length
    behind = _BEFORE.match(heard[begin:][::-1])
    end = len(heard) - (behind.end() if behind else 0)
    if heard[begin:end].endswith(_GENITIVES):
        end -= 2
    return heard[:begin], heard[end:]
