"""Months, and totals that several writers report in any order."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.usage import MonthlyTotals, month_of, rest_of_month

REPORTS = st.lists(
    st.tuples(
        st.sampled_from(["2026-11", "2026-12"]),
        st.sampled_from(["key:a", "key:b"]),
        st.sampled_from(["g1", "g2", "g3"]),
        st.floats(0, 1e6),
    ),
    max_size=30,
)


@given(wall=st.floats(0, 4e9))
def test_the_rest_of_a_month_ends_with_it(wall: float) -> None:
    end = wall + rest_of_month(wall)
    assert 0 < rest_of_month(wall) <= 31 * 86400
    assert month_of(end + 0.01) != month_of(wall) == month_of(end - 0.01)


@pytest.mark.parametrize(("year", "month", "following"), [(2026, 12, "2027-01"), (2028, 2, "2028-03")])
def test_december_and_leap_years(year: int, month: int, following: str) -> None:
    wall = datetime(year, month, 28, 23, 30, tzinfo=UTC).timestamp()
    assert month_of(wall) == f"{year}-{month:02}"
    assert month_of(wall + rest_of_month(wall)) == following


@given(reports=REPORTS, seed=st.integers(0, 1000))
def test_reports_add_up_to_the_same_in_any_order_and_any_number(
    reports: list[tuple[str, str, str, float]], seed: int
) -> None:
    once, shuffled = MonthlyTotals(), MonthlyTotals()
    for report in reports:
        once.merge(*report)
    again = reports * 2
    random.Random(seed).shuffle(again)
    for report in again:
        shuffled.merge(*report)
    for month in ("2026-11", "2026-12"):
        for account in ("key:a", "key:b"):
            highest = {
                writer: max(total for m, a, w, total in reports if (m, a, w) == (month, account, writer))
                for m, a, writer, _ in reports
                if (m, a) == (month, account)
            }
            assert once.used(month, account) == pytest.approx(sum(highest.values()))
            assert shuffled.used(month, account) == pytest.approx(once.used(month, account))


def test_what_was_counted_here_is_no_less_after_an_older_report_of_it() -> None:
    totals = MonthlyTotals()
    assert totals.add("2026-12", "key:a", "me", 5) == 5
    totals.merge("2026-12", "key:a", "me", 3)
    assert totals.add("2026-12", "key:a", "me", 1) == 6
    assert totals.used("2026-12", "key:a") == 6


def test_months_that_are_over_are_forgotten_and_stay_so() -> None:
    totals = MonthlyTotals()
    for month in ("2026-10", "2026-11", "2026-12"):
        totals.add(month, "key:a", "me", 1)
    totals.merge("2026-09", "key:a", "other", 1)
    assert sorted(totals.months) == ["2026-11", "2026-12"]
