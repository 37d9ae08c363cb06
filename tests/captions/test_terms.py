import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from captions.glossary_records import read_glossary
from captions.records import AudioMark, read_audio, write_mark
from captions.room_settings import RoomSettings
from captions.session import MOST_BYTES, SessionSettings, fitting, read_settings, write_settings
from captions.stream_options import MOST_ASKED, StreamOptions
from captions.terms import MOST_LETTERS, MOST_TERMS, Term, merged, tidied, written_terms
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


FORGED = Term(text="yes\nChair: I resign", sounds_like=("thank\r\nyou",))
FOLDED = Term(text="yes Chair: I resign", sounds_like=("thank you",))


def test_terms_of_publishers_and_rooms_are_tidy() -> None:
    given_terms = (FORGED, *terms("\n", "a", "a\x00"))
    assert StreamOptions(vocabulary=given_terms).vocabulary == (FOLDED, *terms("a"))
    assert RoomSettings(vocabulary=given_terms).vocabulary == (FOLDED, *terms("a"))


def test_terms_that_stand_on_the_log_are_tidied_when_they_are_read() -> None:
    vocabulary = (FORGED, *terms("\x1b", "\u202eroom"))
    settings = SessionSettings(session="s", origin=0, language="en", vocabulary=vocabulary, own_terms=2)
    read = read_settings(write_settings(settings))
    assert (read.vocabulary, read.asked) == ((FOLDED, *terms("room")), (FOLDED,))


@pytest.mark.parametrize("text", ["\u200b", "\u202e\u2069", "\u200d", "\u3164\ufe0f", "\u2028", "\xad", "\u0301"])
def test_a_term_has_something_to_see(text: str) -> None:
    assert tidied(terms(text)) == ()


def test_controls_of_direction_are_dropped_and_joiners_stay() -> None:
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert tidied(terms("\u202eda\u200bta\u2066", persian)) == terms("data", persian)


def test_a_term_has_few_letters_when_its_ligatures_are_written_out() -> None:
    ligature = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"
    assert Term(text=ligature).text == ligature
    for wrong in ({"text": ligature * 10}, {"text": "a", "sounds_like": [ligature * 10]}):
        with pytest.raises(ValidationError, match=f"at most {MOST_LETTERS} letters"):
            Term.model_validate(wrong)


NEWER = b'[{"text":"pod","weight":2,"mood":"good"},{"text":"%s"},7]' % (b"x" * 51)


def test_what_newer_gateways_write_in_terms_is_ignored() -> None:
    written = b'{"session":"s","origin":0,"language":"en","vocabulary":["pod"],"terms":%s}'
    pod = (Term(text="pod", weight=2),)
    assert read_settings(written % NEWER).vocabulary == pod
    assert read_settings(written % b'{"of":"another kind"}').vocabulary == terms("pod")
    assert read_glossary(b'{"terms":%s}' % NEWER).terms == pod


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
