import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from captions.records import AudioMark, read_audio, write_mark
from captions.session import MOST_BYTES, SessionSettings, fitting, write_settings
from captions.stream_options import MOST_ASKED, StreamOptions
from captions.terms import MOST_TERMS, Term, merged, tidied, written_terms
from captions.track import RoomId, TrackId
from tests.support import terms

GLOSSARY = TypeAdapter(tuple[Term, ...])


def test_a_term_is_a_string_or_an_object() -> None:
    written = b'["CTranslate2",{"text":"kubectl","sounds_like":["cube control"],"weight":2.0}]'
    read = GLOSSARY.validate_json(written)
    assert read == (Term(text="CTranslate2"), Term(text="kubectl", sounds_like=("cube control",), weight=2))
    assert GLOSSARY.dump_json(read) == written


@pytest.mark.parametrize("wrong", ["", "x" * 51, {"text": "a", "weight": 0}, {"text": "a", "sounds": ["b"]}, {}, 5])
def test_what_is_no_term_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        GLOSSARY.validate_python([wrong])


def test_the_first_entry_of_a_term_counts() -> None:
    heavy = Term(text="b", weight=3)
    assert merged(terms("a"), (heavy,), terms("b", "c")) == (Term(text="a"), heavy, Term(text="c"))
    assert len(merged(terms(*map(str, range(MOST_TERMS + 5))))) == MOST_TERMS


def test_older_workers_read_the_vocabulary_as_strings() -> None:
    glossary = (Term(text="kubectl", sounds_like=("cube control",)), Term(text="pod"))
    settings = SessionSettings(session="s", origin=0, language="en", vocabulary=glossary)
    mark = AudioMark(track=TrackId(RoomId("main"), "a"), utterance=0, position=0, offset=0, settings=settings)
    record = write_mark(mark)
    assert b'"vocabulary": ["kubectl", "pod"]' in record.headers["settings"]
    assert read_audio(record) == mark


def test_stored_terms_are_tidy() -> None:
    given_terms = (Term(text=" cloud\n native\x00days "), Term(text=" \t"), Term(text="a", sounds_like=("\r", "b  c")))
    assert tidied((*given_terms, *terms("a"))) == (
        Term(text="cloud native days"),
        Term(text="a", sounds_like=("b c",)),
    )


SPELLINGS = st.text(min_size=1, max_size=50)
TERMS = st.builds(Term, text=SPELLINGS, sounds_like=st.lists(SPELLINGS, max_size=5).map(tuple))


@given(st.lists(TERMS, min_size=1, max_size=20), st.integers(1, 40))
def test_terms_that_fit_take_no_more_bytes_than_they_may(some: list[Term], times: int) -> None:
    many = [term.model_copy(update={"text": f"{term.text}{n}"}) for n in range(times) for term in some]
    fit = fitting(many)
    assert fit == tuple(many[: len(fit)])
    empty, full = (
        len(write_settings(SessionSettings(session="s", origin=0, language="en", vocabulary=vocabulary)))
        for vocabulary in ((), fit)
    )
    assert full - empty <= MOST_BYTES + len(', "terms": []')
    if len(fit) < len(many):
        assert full - empty > MOST_BYTES - 6 * 12 * 60


def test_a_publisher_asks_for_no_more_than_fits() -> None:
    plain = terms(*(f"{n:04}" + "\N{GRINNING FACE}" * 46 for n in range(MOST_ASKED)))
    assert StreamOptions(vocabulary=plain).vocabulary == plain
    hinted = [Term(text=f"{n:050}", sounds_like=(f"{n:050}",) * 5) for n in range(MOST_ASKED)]
    with pytest.raises(ValidationError, match="32768 bytes"):
        StreamOptions(vocabulary=tuple(hinted))


def test_a_mark_has_the_terms_that_the_publisher_asked_for() -> None:
    settings = SessionSettings(session="s", origin=0, language="en", vocabulary=terms("a", "b", "c"), own_terms=1)
    mark = AudioMark(track=TrackId(RoomId("main"), "a"), utterance=0, position=0, offset=0, settings=settings)
    read = read_audio(write_mark(mark))
    assert read.settings is not None
    assert (read.settings.vocabulary, read.settings.asked) == (terms("a"), terms("a"))
    assert settings.asked == terms("a")


def test_terms_stand_in_a_text_as_whole_words_as_they_are_written() -> None:
    vocabulary = terms("ingress", "C++", "US", "New York", "cat")
    text = "Ingress in C++, New York's ingress: concatenate what tells us."
    assert written_terms(text, "en", vocabulary) == {"ingress": 2, "C++": 1, "New York": 1}
    assert written_terms("私は東京に住んでいます", "ja", terms("東京")) == {"東京": 1}
