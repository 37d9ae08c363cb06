import math
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecaptions.top.quantiles import quantile

BOUNDS = (0.2, 0.4, 0.9, 1.5, 5.0, math.inf)


def histogram(values: list[float]) -> dict[float, float]:
    return {bound: float(sum(value <= bound for value in values)) for bound in BOUNDS}


def bucket(value: float) -> tuple[float, float]:
    """The finite bounds that are all a histogram keeps of a value."""
    upper = next(bound for bound in BOUNDS if value <= bound)
    lower = max((bound for bound in BOUNDS if bound < upper), default=0.0)
    return (lower, lower) if math.isinf(upper) else (lower, upper)


@given(st.lists(st.floats(0, 20), min_size=1), st.floats(0.01, 1))
def test_it_lies_in_the_bucket_of_the_observation_of_that_rank(values: list[float], share: float) -> None:
    found = quantile(share, histogram(values))
    lower, upper = bucket(sorted(values)[max(0, math.ceil(share * len(values)) - 1)])
    assert found is not None
    assert lower - 1e-9 <= found <= upper + 1e-9


@given(st.lists(st.floats(0, 20), min_size=1), st.lists(st.floats(0, 1), min_size=2))
def test_a_larger_share_is_never_at_a_smaller_value(values: list[float], shares: list[float]) -> None:
    found = [quantile(share, histogram(values)) for share in sorted(shares)]
    assert all(a is not None and b is not None and a <= b for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ((0, 10, 0, 0, 0, 0), 0.5, 0.3),
        ((5, 5, 0, 0, 0, 0), 0.5, 0.2),
        ((1, 0, 0, 0, 0, 9), 0.95, 5.0),
        ((0, 0, 4, 0, 0, 0), 1.0, 0.9),
    ],
)
def test_figures_that_prometheus_gives(counts: tuple[int, ...], share: float, expected: float) -> None:
    cumulative = dict(zip(BOUNDS, map(float, accumulate(counts)), strict=True))
    assert quantile(share, cumulative) == pytest.approx(expected)


@pytest.mark.parametrize("buckets", [{}, dict.fromkeys(BOUNDS, 0.0), {0.2: 1.0}])
def test_nothing_observed_is_not_known(buckets: dict[float, float]) -> None:
    assert quantile(0.5, buckets) is None
