import pytest
from pydantic import TypeAdapter, ValidationError

from captions.records import AudioMark, read_audio, write_mark
from captions.session import SessionSettings
from captions.terms import MOST_TERMS, Term, merged
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
