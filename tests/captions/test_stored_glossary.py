import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.errors import RecordError
from captions.glossary_records import read_glossary, replaced_by, version_of, write_glossary
from captions.stored_glossary import Owner, StoredGlossary
from captions.terms import MOST_TERMS, Term
from captions.track import RoomId
from tests.support import terms

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
OWNERS = st.builds(Owner, st.none() | NAMES, st.none() | NAMES)
HALL = Owner("acme", "hall")


@given(st.lists(OWNERS, min_size=2, max_size=2, unique=True))
def test_every_owner_has_a_key_of_its_own(owners: list[Owner]) -> None:
    assert [Owner.from_key(owner.key) for owner in owners] == owners
    assert owners[0].key != owners[1].key


def test_a_rooms_record_has_the_key_of_its_captions() -> None:
    room = RoomId("hall", "acme")
    assert Owner.of_room(room).key == room.key == "acme/hall"
    assert Owner.of_tenant(room).key == "acme/"
    assert Owner(None).key == "/"


@pytest.mark.parametrize("key", ["", "a/b/c", "a/b/", "//"])
def test_a_key_of_nobody_is_an_error(key: str) -> None:
    with pytest.raises(RecordError):
        Owner.from_key(key)


def test_a_glossary_survives_the_log() -> None:
    glossary = StoredGlossary((Term(text="kubectl", sounds_like=("cube control",)),), {"kubectl": "correction"})
    record = write_glossary(HALL, glossary, "v1")
    assert read_glossary(record.value) == glossary
    assert replaced_by(record) == "v1"
    assert replaced_by(write_glossary(HALL, glossary)) is None
    assert version_of(record.value) == version_of(write_glossary(Owner("other"), glossary).value)
    assert read_glossary(write_glossary(HALL, StoredGlossary()).value) == StoredGlossary()


@pytest.mark.parametrize("value", [b"{", b"[]", b'{"terms":5}', b'{"terms":["a"],"sources":[]}', b"[" * 100_000])
def test_what_is_no_glossary_is_an_error(value: bytes) -> None:
    with pytest.raises(RecordError):
        read_glossary(value)


def test_what_newer_gateways_add_is_ignored() -> None:
    assert read_glossary(b'{"terms":["a"],"mood":"good"}').terms == terms("a")


def test_learnt_terms_come_last_and_change_nothing_that_stands() -> None:
    given_terms = (Term(text="pod", weight=2), *terms("node"))
    learnt = StoredGlossary(given_terms).with_learnt(terms("pod", "etcd"), "correction")
    assert learnt == StoredGlossary((*given_terms, *terms("etcd")), {"etcd": "correction"})
    again = learnt.with_learnt(terms("etcd"), "elsewhere")
    assert again.sources == {"etcd": "correction"}
    full = StoredGlossary(terms(*map(str, range(MOST_TERMS)))).with_learnt(terms("one more"), "correction")
    assert (len(full.terms), full.sources) == (MOST_TERMS, {})
