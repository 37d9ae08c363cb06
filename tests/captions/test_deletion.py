import pytest

from captions.deletion import Deletion, LastUtterance, deleted_before, read_deletion, write_deletion
from captions.errors import RecordError
from captions.ports.log import Entry, Record
from captions.records import began_of, origin_of
from captions.track import RoomId


@pytest.mark.parametrize("digits", [b"1" * 20, b"1" * 5000, b"-1", b"", b"\xb2", b"1_0"])
def test_what_is_no_offset_is_none(digits: bytes) -> None:
    record = Record("hall", b"", {"began": digits, "deleted": digits, "epoch": digits})
    assert (began_of(record), deleted_before(record), origin_of(record).epoch) == (None, None, None)


@pytest.mark.parametrize(
    "facts",
    [
        b"",
        b"[" * 100_000,
        b'{"at":1,"ends":[]}',
        b'{"at":1,"ends":[],"tracks":{"a":["x",{},[]]}}',
        b'{"at":1,"ends":[1e400],"tracks":{}}',
        b'{"at":NaN,"ends":[],"tracks":{}}',
    ],
)
def test_a_deletion_that_cannot_be_read_is_said_so(facts: bytes) -> None:
    with pytest.raises(RecordError, match="a deletion's header cannot be read"):
        read_deletion(Entry("captions", 0, 7, 0.0, Record("hall", b"", {"deletion": facts})))


def test_a_deletion_is_read_as_it_was_written_and_newer_fields_are_ignored() -> None:
    record = write_deletion(RoomId("hall"), 12.5, [3, 4], {"main": LastUtterance(7, 1.5, 9.25)})
    newer = record.headers["deletion"].replace(b'{"at"', b'{"newer":[1],"at"')
    for header in (record.headers["deletion"], newer):
        read = read_deletion(Entry("captions", 0, 9, 0.0, Record("hall", b"", {"deletion": header})))
        assert read == Deletion(seq=9, at=12.5, ends=[3, 4], tracks={"main": LastUtterance(7, 1.5, 9.25)})
