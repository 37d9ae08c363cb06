"""Terms found in what was heard, by how they sound."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import log2
from typing import NamedTuple

import numpy as np

from captions.sounds import Near, Sound, Sounds, joined, sound
from captions.terms import Term
from captions.words import Word

LONGEST_RUN = 4
"""Words that one term may have been heard as."""

MOST_CANDIDATES = 8

_NEAR = 0.28  # the least score of a candidate
_DOUBT = 0.4  # what sure words take from the score
_SHORT = 1.0  # divided by its letters, what a run takes from the score: short words sound alike by chance
_WEIGHT = 0.05  # what doubling a term's weight adds
_CONFIDENCE = 0.8  # of a word that has none: most words are surer than that


class Match(NamedTuple):
    """A run of words, ``start`` to ``end`` without the last, that may have been a term.

    ``similarity`` is how near it sounds, 1 being the same; ``spelt`` tells whether its letters are those of the term,
    ``sounds_like`` whether they are those of one of its other spellings. ``score`` is the similarity together with
    the doubt about the words, their length and the weight of the term.
    """

    term: Term
    start: int
    end: int
    similarity: float
    score: float
    spelt: bool
    sounds_like: bool


class Glossary:
    """An index of terms by how they sound. Building it takes a few ms for 1,000 terms, a search about 1 ms."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = terms
        entries = [
            (heard, number, spelling is term.text)
            for number, term in enumerate(terms)
            for spelling in (term.text, *term.sounds_like)
            if (heard := sound(spelling)).letters
        ]
        self._of = np.array([number for _, number, _ in entries], dtype=np.intp)
        self._written = [written for *_, written in entries]
        self._entries = [heard for heard, *_ in entries]
        self._sounds = Sounds(self._entries)
        self._by_letters: dict[str, list[int]] = {}
        for entry, heard in enumerate(self._entries):
            self._by_letters.setdefault(heard.letters, []).append(entry)
        self._bonus = _WEIGHT * np.array([log2(terms[number].weight) for number in self._of], dtype=np.float32)

    def matches(self, words: Sequence[Word]) -> list[Match]:
        """Where ``words`` may have been terms, the best score first, at most one match for a run and a term."""
        if not words or not self._entries:
            return []
        heard = [sound(word.text) for word in words]
        confidences = list(accumulate(map(_confidence, words), initial=0.0))
        runs = [
            (start, end)
            for start in range(len(words))
            for end in range(start + 1, min(start + LONGEST_RUN, len(words)) + 1)
            if heard[start].letters and heard[end - 1].letters
        ]
        sounds = [joined(heard[start:end]) for start, end in runs]
        near = self._with_same_letters(self._sounds.near(sounds), sounds)
        chance = [
            _DOUBT * (confidences[end] - confidences[start]) / (end - start) + _SHORT / len(one.letters)
            for (start, end), one in zip(runs, sounds, strict=True)
        ]
        scores = near.similarities - np.array(chance, dtype=np.float32)[near.others] + self._bonus[near.sounds]
        found: dict[tuple[int, int], Match] = {}
        order = np.lexsort((near.sounds, near.others, -scores))
        for pair in order[scores[order] >= _NEAR].tolist():
            run, entry = int(near.others[pair]), int(near.sounds[pair])
            match = self._match(runs[run], sounds[run], entry, float(near.similarities[pair]), float(scores[pair]))
            found.setdefault((run, int(self._of[entry])), match)
        return list(found.values())

    def spelling(self, word: Word) -> str | None:
        """How the term is written that has the letters of ``word``."""
        for entry in self._by_letters.get(word.folded, ()):
            if self._written[entry]:
                return self._terms[int(self._of[entry])].text
        return None

    def candidates(self, words: Sequence[Word], most: int = MOST_CANDIDATES) -> tuple[Term, ...]:
        """The few terms that some of ``words`` may have been, the likeliest first, without those that they are."""
        matches = self.matches(words)
        there = {match.term.text for match in matches if match.spelt}  # heard: the first decode has them
        likeliest = dict.fromkeys(match.term for match in matches if match.term.text not in there)
        return tuple(likeliest)[:most]

    def _with_same_letters(self, near: Near, heard: Sequence[Sound]) -> Near:
        """All pairs with the same letters too: Metaphone may read them otherwise across the boundary of words."""
        pairs = [
            (run, entry)
            for run, one in enumerate(heard)
            for entry in self._by_letters.get(one.letters, ())[:MOST_CANDIDATES]
        ]
        runs, entries = (np.array([pair[side] for pair in pairs], dtype=np.intp) for side in (0, 1))
        return Near(
            np.concatenate([runs, near.others]),
            np.concatenate([entries, near.sounds]),
            np.concatenate([np.ones(len(pairs), dtype=np.float32), near.similarities]),
        )

    def _match(self, run: tuple[int, int], heard: Sound, entry: int, similarity: float, score: float) -> Match:
        same = heard.letters == self._entries[entry].letters
        term, written = self._terms[self._of[entry]], self._written[entry]
        return Match(term, *run, similarity, score, spelt=same and written, sounds_like=same and not written)


def bare(text: str) -> str:
    """``text`` without the punctuation around it."""
    return text.strip("".join({c for c in text if unicodedata.category(c)[0] in "PZ"}))


@lru_cache(maxsize=64)
def glossary_of(terms: tuple[Term, ...]) -> Glossary:
    """The index of ``terms``, built once for the same terms."""
    return Glossary(terms)


def _confidence(word: Word) -> float:
    return _CONFIDENCE if word.confidence is None else word.confidence
