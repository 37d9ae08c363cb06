"""The language of a session: found out from its utterances, kept through short ones, followed where it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.errors import RecordError
from captions.language_choice import ENOUGH, LEAD, Heard

LANGUAGES = ("de", "en", "fr", "ja")


@st.composite
def probabilities(draw: st.DrawFn) -> dict[str, float]:
    shares = draw(st.lists(st.floats(0, 1), min_size=len(LANGUAGES), max_size=len(LANGUAGES)))
    total = sum(shares) or 1.0
    return {language: share / total for language, share in zip(LANGUAGES, shares, strict=True)}


utterances = st.lists(st.tuples(probabilities(), st.floats(0, 30)), max_size=12)


def heard(*said: tuple[str, float], surely: float = 0.95) -> Heard:
    """After utterances of (language, seconds)."""
    state = Heard()
    for language, seconds in said:
        others = [other for other in LANGUAGES if other != language]
        state = state.after({language: surely} | dict.fromkeys(others, (1 - surely) / 3), seconds)
    return state


def test_one_word_decides_nothing_and_a_long_sentence_does() -> None:
    assert heard(("fr", 0.9)).language is None
    assert heard(("fr", 0.9)).best({}, 0.9) == "fr"
    assert heard(("de", 6.0)).language == "de"
    assert heard(("de", 2.2), ("de", 2.2), ("de", 2.2)).language == "de"


def test_before_a_decision_an_utterance_is_heard_with_those_before_it() -> None:
    state = heard(("de", 3.0), ("fr", 1.0))
    assert state.language is None
    assert state.best({"fr": 0.9}, 1.0) == "de"


@pytest.mark.parametrize("word", [0.5, 0.8, 1.2])
def test_short_words_of_another_language_change_nothing(word: float) -> None:
    state = heard(("de", 6.0), ("en", word), ("de", 3.0), ("en", word), ("fr", word), ("ja", word))
    assert state.language == "de"
    assert state.best({"en": 1.0}, word) == "de"


def test_a_sentence_that_is_surely_in_another_language_counts_by_itself() -> None:
    state = heard(*[("de", 8.0)] * 5, ("fr", 2.5))
    assert state.language == "de"
    assert state.best({"fr": 0.95, "de": 0.05}, 2.5) == "fr"
    assert state.best({"fr": 0.85, "de": 0.15}, 2.5) == "de"
    assert state.best({"fr": 0.95, "de": 0.05}, 1.5) == "de"


def test_a_change_of_language_is_followed_within_a_sentence_or_a_few_short_ones() -> None:
    german = [("de", 5.0)] * 10
    assert heard(*german, ("fr", 5.0)).language == "fr"
    assert heard(*german, *[("fr", 1.5)] * 4).language == "fr"
    assert heard(*german, ("fr", 5.0), ("de", 5.0)).language == "de"


def test_without_evidence_nothing_is_decided() -> None:
    assert Heard().after({}, 5.0) == Heard()
    assert Heard().after({"de": 1.0}, 0.3) == Heard()
    assert Heard().best({}, 9.0) is None
    assert Heard().best({"it": 0.4, "es": 0.3}, 9.0) == "it"
    assert heard(("de", 20.0)).after(dict.fromkeys(LANGUAGES, 0.0), 8.0).language == "de"


@given(utterances)
def test_what_is_written_is_read_as_it_was(said: list[tuple[dict[str, float], float]]) -> None:
    state = Heard()
    for found, seconds in said:
        state = state.after(found, seconds)
        assert Heard.read(state.write()) == state


@given(utterances)
def test_a_decision_stands_until_another_language_leads(said: list[tuple[dict[str, float], float]]) -> None:
    state = Heard()
    for found, seconds in said:
        before, state = state, state.after(found, seconds)
        assert before.language is None or state.language is not None
        if state.language != before.language:
            assert state.language is not None
            lead = state.seconds[state.language]
            assert lead == max(state.seconds.values())
            if before.language is None:
                assert lead >= ENOUGH
            else:
                assert lead >= LEAD * state.seconds.get(before.language, 0.0)


@given(utterances, probabilities(), st.floats(0, 30))
def test_what_comes_later_changes_nothing_of_what_was_known(
    said: list[tuple[dict[str, float], float]], found: dict[str, float], seconds: float
) -> None:
    state = Heard()
    for each, length in said:
        state = state.after(each, length)
    written = state.write()
    state.after(found, seconds)
    assert state.write() == written


@given(utterances)
def test_what_is_kept_is_bounded(said: list[tuple[dict[str, float], float]]) -> None:
    state = Heard()
    for found, seconds in said:
        state = state.after(found, seconds)
        assert sum(state.seconds.values()) < 20
        assert set(state.seconds) <= set(LANGUAGES)


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b'{"language": 7, "seconds": {}}', b'{"language": "de", "seconds": {"de": NaN}}']
)
def test_what_is_no_evidence_is_a_record_error(header: bytes) -> None:
    with pytest.raises(RecordError, match="heard"):
        Heard.read(header)
