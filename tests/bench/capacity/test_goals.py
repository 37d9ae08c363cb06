import pytest

from bench.capacity.goals import PEERS, Goals, goals_of
from bench.capacity.level import Sender, Spread
from captions.errors import SetupError
from tests.bench.capacity.levels import level

NAN = float("nan")
NOTHING = Spread(NAN, NAN)


def test_a_good_level_breaks_nothing() -> None:
    assert Goals().broken(level(), level()) == []


def test_what_is_broken_is_told_in_words() -> None:
    slow = level(8, word_shown=Spread(0.35, 1.316), final=Spread(0.2, 0.5), failures=("refused", "refused"))
    assert Goals().broken(slow, level()) == [
        "word shown p95 1.32 > 0.9 s",
        "final p95 0.50 > 0.4 s",
        "2 of 8 streams failed: refused",
    ]


def test_accuracy_may_not_fall_with_load() -> None:
    assert Goals().broken(level(4, word_error_rate=0.059), level()) == []
    (told,) = Goals().broken(level(4, word_error_rate=0.1), level())
    assert told == "WER 6.0 > 2 points above the first level's"


def test_a_sender_that_fell_behind_makes_a_level_invalid() -> None:
    for sender in (Sender(0.2, 0.2), Sender(0.95, 0.001)):
        (told,) = Goals().broken(level(sender=sender), level())
        assert told.startswith("invalid, the sender fell behind: ")


def test_a_level_that_showed_nothing_holds_no_goal_for_words() -> None:
    silent = level(word_shown=NOTHING, word_stable=NOTHING)
    assert Goals().broken(silent, silent) == ["no spoken words were shown"]
    assert goals_of(["word_shown_p50=none", "word_shown_p95=none"]).broken(silent, silent) == []


def test_peers_are_held_to_keeping_up() -> None:
    behind = level(word_shown=Spread(2.1, 3.8), word_stable=Spread(3, 5), first_partial=NOTHING, final=Spread(3, 6))
    assert PEERS.broken(behind, behind) == []
    assert PEERS.broken(level(word_shown=Spread(15, 28)), behind) == ["word shown p50 15.00 > 3 s"]


def test_goals_can_be_changed() -> None:
    assert goals_of(["final_p95=0.6", "first_partial_p95=none"]) == Goals(final_p95=0.6, first_partial_p95=None)


@pytest.mark.parametrize("change", ["finals=1", "final_p95", "final_p95=soon"])
def test_goals_that_there_are_not(change: str) -> None:
    with pytest.raises(SetupError, match="--goal"):
        goals_of([change])
