import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.revision import Revision
from captions.stability import AGREEMENTS, Agreement, Stability
from captions.words import Word, fold

FAST = AGREEMENTS[Stability.FAST]
VOCABULARY = ["the", "log", "is", "spine", "of", "it"]


def words(text: str) -> list[Word]:
    return [Word(word) for word in text.split()]


def timed(text: str) -> list[Word]:
    return [Word(word, float(n), n + 0.8, 0.9) for n, word in enumerate(text.split())]


def shown(revision: Revision) -> str:
    return " ".join(word.text for word in revision.words)


def hear(*texts: str, touches_end: bool = True, calm: Stability = Stability.FAST) -> Revision:
    revision = Revision()
    for text in texts:
        revision.update(words(text), touches_end=touches_end, agreement=AGREEMENTS[calm])
    return revision


def test_what_two_hypotheses_agree_on_is_stable() -> None:
    revision = hear("So the log", "So the log is the")
    assert [word.text for word in revision.stable] == ["So", "the", "log"]
    assert shown(revision) == "So the log is"


def test_the_last_word_is_held_back_while_it_may_still_be_spoken() -> None:
    revision = hear("So the cap", "So the caption")
    assert [word.text for word in revision.stable] == ["So", "the"]
    assert shown(revision) == "So the"
    revision.update(words("So the captions stand"), touches_end=True, agreement=FAST)
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
    revision.update(words("we recognise a nice beach today"), touches_end=True, agreement=FAST)
    assert shown(revision).startswith("we wreck a nice beach")
    revision.update(words("recognise speech today and"), touches_end=True, agreement=FAST)
    assert shown(revision).startswith("we wreck a nice")


def test_trimming_keeps_the_words_and_drops_their_audio() -> None:
    revision = Revision()
    revision.update(timed("So the log is the"), touches_end=True, agreement=FAST)
    heard = timed("So the log is the spine")
    revision.update(heard, touches_end=True, agreement=FAST)
    assert revision.trim(heard) == pytest.approx(4.8)
    assert [word.text for word in revision.trimmed] == ["So", "the", "log", "is", "the"]
    revision.update(words("spine of what"), touches_end=True, agreement=FAST)
    revision.update(words("spine of what we"), touches_end=True, agreement=FAST)
    assert shown(revision) == "So the log is the spine of what"


def test_nothing_is_trimmed_where_nothing_is_stable() -> None:
    revision = Revision()
    revision.update(timed("So the"), touches_end=True, agreement=FAST)
    assert revision.trim(timed("So the")) is None


def test_calm_a_word_is_stable_once_four_hypotheses_agree() -> None:
    heard = ["So the log", "So the log is", "So the log is the spine", "So the log is the spine of"]
    assert hear(*heard[:3], calm=Stability.CALM).stable == ()
    assert len(hear(*heard, calm=Stability.CALM).stable) == 3


def test_balanced_one_hypothesis_takes_nothing_back() -> None:
    heard = ["because of line on the", "because of the line on the dash", "because of line on the dashboard"]
    assert shown(hear(*heard[:2], calm=Stability.BALANCED)) == "because of line on"
    assert shown(hear(*heard, calm=Stability.BALANCED)) == "because of line on the"
    assert shown(hear(*heard[:2], heard[1], calm=Stability.BALANCED)) == "because of the line on the dash"


def test_balanced_two_hypotheses_that_end_earlier_withdraw_words() -> None:
    heard = ["and they said so thank you", "and they said", "and they said"]
    assert shown(hear(*heard[:2], touches_end=False, calm=Stability.BALANCED)) == "and they said so thank you"
    assert shown(hear(*heard, touches_end=False, calm=Stability.BALANCED)) == "and they said"


def test_balanced_a_word_that_is_shown_is_not_held_back_again() -> None:
    revision = hear("So the log is", touches_end=False, calm=Stability.BALANCED)
    revision.update(words("So the log is"), touches_end=True)
    assert shown(revision) == "So the log is"


def test_calm_two_last_words_wait_for_a_second_hypothesis() -> None:
    assert shown(hear("So the log is", calm=Stability.CALM)) == "So the"
    assert shown(hear("So the log is", "So the log is the", calm=Stability.CALM)) == "So the log is"


def test_calm_two_hypotheses_take_nothing_back() -> None:
    heard = ["because of line on the", "because of the line on the dash", "because of the line on the dash"]
    assert shown(hear(*heard, calm=Stability.CALM)) == "because of line"
    assert shown(hear(*heard, heard[1], calm=Stability.CALM)) == "because of the line on the dash"


def test_no_choice_makes_a_word_stable_before_it_may_replace_another() -> None:
    assert all(agreement.replaced <= agreement.stable for agreement in AGREEMENTS.values())


HEARD = st.lists(st.tuples(st.lists(st.sampled_from(VOCABULARY), max_size=8), st.booleans()), max_size=12)


@given(HEARD, st.sampled_from(list(AGREEMENTS.values())))
def test_the_stable_prefix_only_grows_and_is_always_shown(
    history: list[tuple[list[str], bool]], agreement: Agreement
) -> None:
    revision = Revision()
    before: tuple[Word, ...] = ()
    for texts, touches_end in history:
        revision.update([Word(text) for text in texts], touches_end=touches_end, agreement=agreement)
        assert revision.stable[: len(before)] == before
        assert revision.words[: len(revision.stable)] == revision.stable
        assert all(fold(word.text) for word in revision.words)
        before = revision.stable


@given(HEARD, st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=8), st.sampled_from(list(AGREEMENTS.values())))
def test_a_text_heard_as_often_as_it_takes_is_shown_to_its_last_word_and_stable(
    history: list[tuple[list[str], bool]], text: list[str], agreement: Agreement
) -> None:
    """Whatever was heard before: nothing is held back for ever, or kept against all evidence."""
    revision = Revision()
    for texts, touches_end in history:
        revision.update([Word(one) for one in texts], touches_end=touches_end, agreement=agreement)
    stable = revision.stable
    heard = [*(word.text for word in stable), *text]
    for _ in range(agreement.stable):
        revision.update([Word(one) for one in heard], touches_end=False, agreement=agreement)
    assert [word.text for word in revision.words] == heard
    assert len(revision.stable) == len(heard)


@given(HEARD)
def test_fast_everything_shown_is_what_the_last_hypothesis_says(history: list[tuple[list[str], bool]]) -> None:
    revision = Revision()
    for texts, touches_end in history:
        revision.update([Word(text) for text in texts], touches_end=touches_end, agreement=FAST)
        tail = [word.text for word in revision.volatile]
        assert not tail or any(texts[at : at + len(tail)] == tail for at in range(len(texts)))
