"""Quantiles of histograms, computed as in Prometheus."""

import math
from collections.abc import Mapping


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """The value that ``share`` (0 to 1) of the observations do not exceed; None without observations.

    ``buckets`` maps upper bounds to cumulative counts; the last bound is infinite. As in ``histogram_quantile``,
    observations are assumed to be evenly spread within a bucket, and those beyond the last finite bound to lie on it.
    """
    bounds = sorted(buckets)
    if not bounds or not math.isinf(bounds[-1]) or not buckets[bounds[-1]] > 0:
        return None
    rank = share * buckets[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank and count > below:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / (count - below)
        if not math.isinf(bound):
            lower = bound
        below = max(below, count)
    return lower
