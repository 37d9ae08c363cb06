import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.revision import Revision
from captions.words import Word, fold

VOCABULARY = ["the", "log", "is", "spine", "of", "it"]


def words(text: str) -> list[Word]:
    return [Word(word) for word in text.split()]


def timed(text: str) -> list[Word]:
    return [Word(word, float(n), n + 0.8, 0.9) for n, word in enumerate(text.split())]


def shown(revision: Revision) -> str:
    return " ".join(word.text for word in revision.words)


def hear(*texts: str, touches_end: bool = True) -> Revision:
    revision = Revision()
    for text in texts:
        revision.update(words(text), touches_end=touches_end)
    return revision


def test_what_two_hypotheses_agree_on_is_stable() -> None:
    revision = hear("So the log", "So the log is the")
    assert [word.text for word in revision.stable] == ["So", "the", "log"]
    assert shown(revision) == "So the log is"


def test_the_last_word_is_held_back_while_it_may_still_be_spoken() -> None:
    revision = hear("So the cap", "So the caption")
    assert [word.text for word in revision.stable] == ["So", "the"]
    assert shown(revision) == "So the"
    revision.update(words("So the captions stand"), touches_end=True)
    assert shown(revision) == "So the captions"


def test_a_last_word_that_two_agree_on_is_shown_and_not_yet_stable() -> None:
    revision = hear("So the log", "So the log")
    assert shown(revision) == "So the log"
    assert len(revision.stable) == 2


def test_a_pause_makes_the_last_word_stable_too() -> None:
    revision = hear("So the log.", "So the log.", touches_end=False)
    assert [word.text for word in revision.stable] == ["So", "the", "log"]


def test_case_and_punctuation_are_no_disagreement() -> None:
    revision = hear("So the log.", "so the log is the spine")
    assert len(revision.stable) == 3


def test_the_full_stop_of_a_cut_off_sentence_is_not_shown() -> None:
    assert shown(hear("So the log is.", touches_end=False)) == "So the log is"


def test_a_stable_word_stands_although_it_is_heard_differently() -> None:
    revision = hear("we wreck a nice", "we wreck a nice beach")
    revision.update(words("we recognise a nice beach today"), touches_end=True)
    assert shown(revision).startswith("we wreck a nice beach")
    revision.update(words("recognise speech today and"), touches_end=True)
    assert shown(revision).startswith("we wreck a nice")


def test_trimming_keeps_the_words_and_drops_their_audio() -> None:
    revision = Revision()
    revision.update(timed("So the log is the"), touches_end=True)
    heard = timed("So the log is the spine")
    revision.update(heard, touches_end=True)
    assert revision.trim(heard) == pytest.approx(4.8)
    assert [word.text for word in revision.trimmed] == ["So", "the", "log", "is", "the"]
    revision.update(words("spine of what"), touches_end=True)
    revision.update(words("spine of what we"), touches_end=True)
    assert shown(revision) == "So the log is the spine of what"


def test_nothing_is_trimmed_where_nothing_is_stable() -> None:
    revision = Revision()
    revision.update(timed("So the"), touches_end=True)
    assert revision.trim(timed("So the")) is None


@given(st.lists(st.tuples(st.lists(st.sampled_from(VOCABULARY), max_size=8), st.booleans()), max_size=12))
def test_the_stable_prefix_only_grows_and_is_always_shown(history: list[tuple[list[str], bool]]) -> None:
    revision = Revision()
    before: tuple[Word, ...] = ()
    for texts, touches_end in history:
        revision.update([Word(text) for text in texts], touches_end=touches_end)
        assert revision.stable[: len(before)] == before
        assert revision.words[: len(revision.stable)] == revision.stable
        assert all(fold(word.text) for word in revision.words)
        before = revision.stable
