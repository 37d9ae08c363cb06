import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.loops import Repetition, compression_ratio, looks_looped, repetition, too_fast

PHRASES = st.lists(st.sampled_from(["one", "two", "three", "four", "five"]), min_size=2, max_size=5, unique=True)


def test_the_ratio_grows_with_repetition_and_is_one_for_nothing() -> None:
    assert compression_ratio("") == 1.0
    assert compression_ratio("the spine of the whole thing") < 1.2
    assert compression_ratio("and over again " * 20) > 5


@given(PHRASES, st.integers(3, 8))
def test_a_phrase_in_a_row_is_a_loop_wherever_it_stands(phrase: list[str], times: int) -> None:
    words = ["before", *phrase * times, "after"]
    found = repetition(words)
    assert found == Repetition(1, 1 + len(phrase), times, 1 + len(phrase) * times)
    assert found.looped


def test_case_and_punctuation_do_not_hide_a_loop() -> None:
    found = repetition(["The", "grass,", "the", "grass.", "THE", "GRASS!"])
    assert found == Repetition(0, 2, 3, 6)


def test_a_round_that_is_not_complete_belongs_to_its_repetition() -> None:
    assert repetition(["oh", *["the", "grass", "and"] * 3, "then"]) == Repetition(1, 4, 3, 10)
    assert repetition(["the", "grass", "-", "and"] * 2) == Repetition(0, 4, 2, 8)


@pytest.mark.parametrize(
    ("text", "looped", "unusual"),
    [
        ("no, no, that is not it", False, False),
        ("no, no, no, that is not it", False, True),
        ("words, words words words", False, True),
        ("we shall not flag or fail we shall not", False, False),
        ("going going gone", False, False),
        ("thank you thank you, my friends", False, True),
        ("no no no no no no", True, True),
        ("thank you thank you thank you", True, True),
    ],
)
def test_what_is_said_again_and_again_is_worth_another_look(text: str, *, looped: bool, unusual: bool) -> None:
    found = repetition(text.split())
    assert (found is not None and found.looped) is looped
    assert (found is not None and found.unusual) is unusual
    assert looks_looped(text.split(), "en", 30.0, 1.0) is unusual


def test_a_text_that_is_nothing_but_a_word_said_twice_is_worth_another_look() -> None:
    assert looks_looped(["Paris,", "Paris."], "en", 2.0, 0.7)
    assert not looks_looped(["Paris,", "Paris", "it", "is"], "en", 2.0, 0.7)


def test_words_without_letters_are_passed_over() -> None:
    assert repetition(["-", "-", "-", "-", "-", "-", "-"]) is None
    assert repetition([]) is None


def test_speech_has_a_speed_limit() -> None:
    assert not too_fast(["word"] * 12, "en", 2.0)
    assert too_fast(["word"] * 13, "en", 2.0)
    assert not too_fast(["word"] * 6, "en", 0.2), "a rate means little over a moment"
    assert not too_fast(list("これはとてもいい"), "ja", 1.0)
    assert too_fast(list("これはとてもいい") * 3, "ja", 1.0)


def test_a_high_compression_ratio_alone_is_worth_another_look() -> None:
    assert looks_looped(["some", "words"], "en", 5.0, 2.3)
    assert not looks_looped(["some", "words"], "en", 5.0, 2.1)
