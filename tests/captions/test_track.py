import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.errors import RecordError
from captions.track import RoomId, TrackId

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
ROOMS = st.builds(RoomId, NAMES, st.none() | NAMES)
TRACKS = st.builds(TrackId, ROOMS, NAMES)


@given(ROOMS)
def test_a_rooms_key_tells_the_room(room: RoomId) -> None:
    assert RoomId.from_key(room.key) == room


@given(TRACKS)
def test_a_tracks_key_tells_the_track(track: TrackId) -> None:
    assert TrackId.from_key(track.key) == track


@given(TRACKS, TRACKS)
def test_no_two_tracks_share_a_key(one: TrackId, other: TrackId) -> None:
    assert (one.key == other.key) == (one == other)


def test_two_tenants_rooms_of_one_name_are_two_rooms() -> None:
    keys = {RoomId("main").key, RoomId("main", "acme").key, RoomId("main", "umbrella").key}
    assert len(keys) == 3


@pytest.mark.parametrize("key", ["", "/", "a/", "/a", "a//b", "a/b/c/d"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(RecordError):
        TrackId.from_key(key)
    with pytest.raises(RecordError):
        RoomId.from_key(key)


def test_a_tracks_key_is_no_rooms() -> None:
    with pytest.raises(RecordError):
        TrackId.from_key("hall")
    with pytest.raises(RecordError):
        RoomId.from_key("acme/hall/main")
