"""How a spelling sounds, roughly, and how near two sounds are.

The consonants are those of Metaphone, which was made for English. Spellings in other scripts are compared as they are
written.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import jellyfish
import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist, cpdist

from captions.words import fold

_VOWELS = str.maketrans(dict.fromkeys("AEIOU"))
_CLASSES = str.maketrans({"B": "P", "0": "T", "G": "K", "M": "N", "J": "S", "X": "S", "R": "L"} | dict.fromkeys("WHY"))
"""Consonants that are easily taken for each other share a letter; half vowels are left out."""

MOST_PAIRS = 64
"""Sounds that one is compared with closely. No list of terms that sound alike makes a search long."""

_CONSONANTS, _CLASS, _LETTERS = 0.5, 0.25, 0.25  # of a similarity
_WORTH_A_LOOK = 0.6  # similarity of the classes below which a pair is not looked at
_MOST_APART = ((1 - _WORTH_A_LOOK) * np.arange(256) + 1e-4).astype(np.uint8)
"""Differences that classes of so many letters may have, to be worth a look."""


class Sound(NamedTuple):
    """A spelling's letters, its consonants in Metaphone with a vowel in front if any, and the consonants' classes."""

    letters: str
    consonants: str
    classes: str


def sound(text: str) -> Sound:
    """The sound of one or more words. All parts are empty if there is no letter or digit."""
    return joined(map(_word, text.replace("-", " ").split()))


def joined(sounds: Iterable[Sound]) -> Sound:
    """The sound of words that are said one after the other."""
    letters = consonants = ""
    for part in sounds:
        letters += part.letters
        consonants += part.consonants
    consonants = consonants[:1] + consonants[1:].translate(_VOWELS)
    return Sound(letters, consonants, consonants.translate(_CLASSES))


@lru_cache(maxsize=4096)
def _word(text: str) -> Sound:
    letters = fold(text)
    latin = "".join(c for c in unicodedata.normalize("NFKD", letters) if c.isascii())
    code = jellyfish.metaphone(latin).replace(" ", "") if latin else ""
    code = code or letters.upper()
    return Sound(letters, code, code.translate(_CLASSES))


class Near(NamedTuple):
    """Pairs of sounds that have something in common, as parallel arrays of shape (pairs,).

    ``similarities`` are 1 for the same sound. Pairs are in the order of ``others``.
    """

    others: npt.NDArray[np.intp]
    sounds: npt.NDArray[np.intp]
    similarities: npt.NDArray[np.float32]


class Sounds:
    """Sounds that others are compared with."""

    def __init__(self, sounds: Sequence[Sound]) -> None:
        self._sounds = tuple(sounds)
        self._classes = [one.classes for one in sounds]
        self._lengths = _lengths(self._classes)

    def near(self, others: Sequence[Sound]) -> Near:
        """The pairs of one of ``others`` and one of these sounds that are worth a closer look.

        Of each one there are ``MOST_PAIRS`` at most, those whose classes are nearest.
        """
        classes = [one.classes for one in others]
        distances = cdist(classes, self._classes, scorer=Levenshtein.distance, dtype=np.uint8)
        longest = np.maximum(_lengths(classes)[:, None], self._lengths)
        alike = distances <= _MOST_APART[longest]
        crowded = alike.sum(axis=1) > MOST_PAIRS
        for row in crowded.nonzero()[0].tolist():
            columns = alike[row].nonzero()[0]
            further = columns[distances[row, columns].argsort(kind="stable")[MOST_PAIRS:]]
            alike[row, further] = False
        rows, columns = np.divmod(np.flatnonzero(alike), len(self._sounds))
        theirs = [others[row] for row in rows.tolist()]
        ours = [self._sounds[column] for column in columns.tolist()]
        similarities = np.zeros(len(rows), dtype=np.float32)
        for part, share in enumerate((_LETTERS, _CONSONANTS, _CLASS)):
            pairs = [one[part] for one in theirs], [one[part] for one in ours]
            similarities += share * cpdist(*pairs, scorer=Levenshtein.normalized_similarity, dtype=np.float32)
        return Near(rows, columns, similarities)


def _lengths(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.array([min(len(text), 255) for text in texts], dtype=np.uint8)
