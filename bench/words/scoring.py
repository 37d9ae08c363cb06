"""Texts compared: normalised, aligned, and counted in blocks of the reference.

English is normalised as OpenAI does; other languages lose case and punctuation. Languages that are written without
spaces are compared by character.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import jiwer
import numpy as np
import numpy.typing as npt
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from bench.words.spelling import respelled
from captions.language import primary
from captions.words import written_with_spaces

BLOCK = 12
"""Words of the reference in one block: about a sentence. Blocks are what is resampled."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Score:
    """The errors and the words (or characters) of the reference, block by block. Shape (blocks,) each.

    Blocks depend on the reference alone: two scores of one reference can be compared block by block.
    """

    errors: Counts
    words: Counts

    @property
    def rate(self) -> float:
        """The word (or character) error rate, 0 and up."""
        return float(self.errors.sum() / self.words.sum())

    @staticmethod
    def of(scores: "list[Score]") -> "Score":
        """All of them, one after the other."""
        return Score(np.concatenate([s.errors for s in scores]), np.concatenate([s.words for s in scores]))

    def __add__(self, other: "Score") -> "Score":
        """Both, block by block: one reference heard twice."""
        return Score(self.errors + other.errors, self.words + other.words)


_WITHOUT_BRACKETS = str.maketrans("()[]{}<>", "        ")
"""The normalisers drop what brackets enclose."""


@cache
def _normalizer(language: str) -> EnglishTextNormalizer | BasicTextNormalizer:
    return EnglishTextNormalizer() if language == "en" else BasicTextNormalizer()


def tokens(text: str, language: str) -> list[str]:
    """The words of a text, or its characters, as they are compared. What stands in brackets was said too."""
    respelt = respelled(unicodedata.normalize("NFKC", text).translate(_WITHOUT_BRACKETS), language)
    normal = _normalizer(primary(language))(respelt)
    return list(normal.split()) if written_with_spaces(language) else [c for c in normal if not c.isspace()]


def score(reference: str, found: str, language: str) -> Score:
    """Compare a text with its reference, which has at least one word.

    A word that was inserted counts in the block of the word before it.
    """
    expected, got = tokens(reference, language), tokens(found, language)
    errors = np.zeros(len(expected), dtype=np.int64)
    (chunks,) = jiwer.process_words([" ".join(expected)], [" ".join(got) or "-"]).alignments
    for chunk in chunks:
        if chunk.type == "insert":
            errors[max(0, chunk.ref_start_idx - 1)] += chunk.hyp_end_idx - chunk.hyp_start_idx
        elif chunk.type != "equal":
            errors[chunk.ref_start_idx : chunk.ref_end_idx] += 1
    edges = [*range(0, max(1, len(expected) - BLOCK // 2), BLOCK), len(expected)]
    sums = [errors[start:end].sum() for start, end in pairwise(edges)]
    return Score(np.array(sums, dtype=np.int64), np.diff(edges))
