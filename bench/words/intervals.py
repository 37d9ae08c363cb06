"""Confidence intervals of error rates by the bootstrap over blocks (Bisani and Ney 2004)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.words.scoring import Score

RESAMPLES = 4000
SEED = 15


class Interval(NamedTuple):
    """A rate or a difference of rates, and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.2f} % ({100 * self.low:.2f} to {100 * self.high:.2f})"

    @property
    def points(self) -> str:
        """A difference, in percentage points."""
        return f"{100 * self.value:+.2f} ({100 * self.low:+.2f} to {100 * self.high:+.2f})"


def interval(score: Score) -> Interval:
    """The error rate."""
    return _interval(score.rate, _rates(score, _draws(len(score.words))))


def difference(score: Score, baseline: Score) -> Interval:
    """The error rate minus that of ``baseline``, in the same blocks. Raises ``ValueError`` where they are others."""
    if not np.array_equal(score.words, baseline.words):
        raise ValueError("two scores of different references cannot be compared")
    draws = _draws(len(score.words))
    return _interval(score.rate - baseline.rate, _rates(score, draws) - _rates(baseline, draws))


def _draws(blocks: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(SEED).integers(0, blocks, size=(RESAMPLES, blocks))


def _rates(score: Score, draws: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    errors, words = (counts.astype(np.float64)[draws].sum(axis=1) for counts in (score.errors, score.words))
    rates: npt.NDArray[np.float64] = errors / words
    return rates


def _interval(value: float, values: npt.NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, (2.5, 97.5))
    return Interval(value, float(low), float(high))
