import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.capacity.ramp import MAX_STREAMS, Listed, Plan, Ramp, Tried, plan_of
from captions.errors import SetupError


def climbed(plan: Plan, capacity: int) -> list[int]:
    """What a plan tries of a system that carries so many."""
    tried: list[Tried] = []
    while (streams := plan.next(tried)) is not None:
        tried.append(Tried(streams, streams <= capacity))
    return [one.streams for one in tried]


def test_a_ramp_doubles_and_then_narrows_down() -> None:
    assert climbed(Ramp(), 5) == [1, 2, 4, 8, 6, 5]
    assert climbed(Ramp(), 0) == [1]
    assert climbed(Ramp(), 100) == [1, 2, 4, 8, 16, 32, 64, 128, 96, 112, 104]


@given(st.integers(0, 5000))
def test_a_ramp_finds_the_capacity_to_a_tenth(capacity: int) -> None:
    tried = climbed(Ramp(), capacity)
    held = max((streams for streams in tried if streams <= capacity), default=0)
    assert held <= capacity
    assert min(capacity, MAX_STREAMS) - held <= max(1, 0.1 * held + 1)
    assert len(tried) == len(set(tried)) <= 20


def test_a_list_ends_where_a_goal_breaks() -> None:
    assert climbed(plan_of("1,2,8,16"), 4) == [1, 2, 8]
    assert climbed(Listed((3, 6)), 100) == [3, 6]


@pytest.mark.parametrize("text", ["", "many", "0", "1,,2", "5000"])
def test_other_plans_are_refused(text: str) -> None:
    with pytest.raises(SetupError, match="--streams"):
        plan_of(text)
