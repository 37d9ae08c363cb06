import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.words.intervals import difference, interval
from bench.words.scoring import BLOCK, Score, score

WORDS = st.lists(st.sampled_from(["alpha", "bravo", "charlie", "delta", "echo"]), max_size=60)


def test_errors_are_those_of_the_alignment() -> None:
    found = score("the quick brown fox", "The quick, red red fox!", "en")
    assert (found.errors.sum(), found.words.sum()) == (2, 4)


def test_numbers_in_english_are_compared_by_value() -> None:
    assert score("two hundred sixty eight cars", "268 cars", "en").rate == 0


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_stands_in_brackets_counts(language: str) -> None:
    assert score("red (green blue) [black]", "red", language).words.sum() == 4


def test_languages_without_spaces_are_compared_by_character() -> None:
    found = score("我喜欢苹果", "我喜欢平果。", "zh")
    assert (found.errors.sum(), found.words.sum()) == (1, 5)


def test_nothing_found_loses_every_word() -> None:
    assert score("one word and another", "", "fr").rate == 1


@given(reference=WORDS.filter(bool), found=WORDS)
def test_blocks_depend_on_the_reference_alone(reference: list[str], found: list[str]) -> None:
    blocks = score(" ".join(reference), " ".join(found), "en")
    assert np.array_equal(blocks.words, score(" ".join(reference), "", "en").words)
    assert blocks.words.sum() == len(reference)
    assert blocks.words.max() <= BLOCK + BLOCK // 2
    assert score(" ".join(reference), " ".join(reference), "en").errors.sum() == 0


def test_an_interval_holds_its_value_and_shrinks_with_more_words() -> None:
    few = Score(np.array([0, 1, 2, 0]), np.array([12, 12, 12, 12]))
    many = Score.of([few] * 40)
    assert interval(few).value == interval(many).value == pytest.approx(3 / 48)
    assert interval(few).low <= interval(many).low < 3 / 48 < interval(many).high <= interval(few).high


def test_a_difference_is_taken_block_by_block() -> None:
    """Two systems that err in the same blocks differ surely, however much the blocks differ."""
    baseline = Score(np.array([0, 6, 0, 9, 1, 7] * 10), np.array([12] * 60))
    worse = Score(baseline.errors + 1, baseline.words)
    assert difference(worse, baseline) == pytest.approx((1 / 12, 1 / 12, 1 / 12))


def test_scores_of_other_references_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different references"):
        difference(Score(np.array([1]), np.array([12])), Score(np.array([1, 0]), np.array([6, 6])))


def test_the_same_reference_heard_twice_has_the_errors_of_both_in_each_block() -> None:
    right, wrong = score("one word and another", "one word and another", "fr"), score("one word and another", "", "fr")
    assert (right + wrong).rate == 0.5
    assert len((right + wrong).words) == len(right.words)
