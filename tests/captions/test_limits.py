"""The arithmetic of rates and allowances: whatever the times, no more passes than was allowed, and waits are true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from captions.limits import BURST, Account, Allowance, Limit, Scope, TokenBucket, bucket_of

GAPS = st.lists(st.floats(0, 50), min_size=1, max_size=60)
RATES = st.floats(0.01, 1000)
BURSTS = st.floats(1, 1000)


@given(rate=RATES, burst=BURSTS, gaps=GAPS)
def test_no_stretch_of_time_has_more_than_the_burst_and_the_rate_allow(
    rate: float, burst: float, gaps: list[float]
) -> None:
    bucket, now, taken = TokenBucket(rate, burst, 0.0), 0.0, []
    for gap in gaps:
        now += gap
        if not bucket.take(now):
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + rate * (taken[last] - taken[first]) + 1e-6


@given(rate=RATES, burst=BURSTS, gaps=GAPS)
def test_the_wait_of_a_refusal_is_as_long_as_needed_and_no_longer(rate: float, burst: float, gaps: list[float]) -> None:
    bucket, now = TokenBucket(rate, burst, 0.0), 0.0
    for gap in gaps:
        now += gap
        while not (wait := bucket.take(now)):
            pass
        if wait > 1e-6:  # a shorter one is lost in the rounding
            assert bucket.take(now + wait * 0.99) > 0
        now += wait * 1.01 + 1e-6
        assert bucket.take(now) == 0


@given(rate=st.floats(1, 20), burst=st.floats(1, 200), pieces=st.lists(st.floats(0.01, 30), min_size=1, max_size=60))
def test_who_waits_out_each_debt_sends_at_the_rate_after_the_burst(
    rate: float, burst: float, pieces: list[float]
) -> None:
    bucket, now = TokenBucket(rate, burst, 0.0), 0.0
    for piece in pieces:
        now += bucket.spend(now, piece)
        assert bucket.debt(now) < 1e-6
    assert now == pytest.approx(max(0.0, sum(pieces) - burst) / rate, abs=1e-3)


@given(away=st.floats(0, 1000), frames=st.integers(1, 200))
def test_who_sends_in_real_time_never_waits_even_to_catch_up(away: float, frames: int) -> None:
    bucket = TokenBucket(1.0, 120.0, 0.0)
    assert bucket.spend(away, min(away, 120.0)) == 0  # what was spoken while the connection was lost, all at once
    for frame in range(frames):
        assert bucket.spend(away + 0.02 * (frame + 1), 0.02) < 1e-9


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    bucket = TokenBucket(1.0, 1.0, 100.0)
    assert bucket.take(100.0) == 0
    assert bucket.take(50.0) == 1.0
    assert bucket.take(101.0) == 0


def test_a_rate_of_less_than_one_lets_the_first_through() -> None:
    bucket = bucket_of(0.001, 0.0)
    assert bucket.take(0.0) == 0
    assert bucket.take(0.0) == pytest.approx(1000)
    assert bucket_of(2.0, 0.0).burst == 2 * BURST


def test_an_own_allowance_changes_what_it_names_and_0_lifts_a_limit() -> None:
    default = Allowance(sessions=2, viewers=10, minutes=600)
    own = Allowance.model_validate({"sessions": 5, "viewers": 0})
    assert default.changed_by(own) == Allowance(sessions=5, viewers=0, minutes=600)
    assert default.changed_by(None) == default
    assert own.model_dump_json() == '{"sessions":5,"viewers":0}'  # as a file keeps it


@pytest.mark.parametrize(
    "wrong",
    [{"sessions": -1}, {"speed": 0.5}, {"minutes": "many"}, {"rooms": 1.5}, {"messages": float("inf")}, {"x": 1}],
)
def test_what_no_allowance_can_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Allowance.model_validate(wrong)


def test_every_field_of_an_allowance_is_a_limit_with_a_name() -> None:
    assert set(Allowance.model_fields) == set(Limit)


def test_an_account_tells_its_clients_no_key_and_no_address() -> None:
    assert str(Account(Scope.KEY, "3f9a")) == "this key"
    assert str(Account(Scope.ADDRESS, "192.0.2.1")) == "this address"
    assert str(Account(Scope.TENANT, "acme")) == "tenant acme"
    assert Account(Scope.KEY, "3f9a").key == "key:3f9a"
