import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from captions.audio import Pcm
from captions.errors import RecordError
from captions.messages import TrackMessage
from captions.ports.log import Record
from captions.records import (
    TRACE,
    AudioMark,
    AudioSegment,
    read_audio,
    read_room_event,
    trace_of,
    write_audio,
    write_mark,
    write_room_event,
)
from captions.session import SessionSettings
from captions.terms import MOST_LETTERS, Term, tidied
from captions.track import RoomId, TrackId
from captions.usage import UsageTotal, read_usage, write_usage
from captions.words import fold

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
TRACKS = st.builds(TrackId, st.builds(RoomId, NAMES, st.none() | NAMES), NAMES)
COUNTS = st.integers(0, 2**40)
PCM = npst.arrays(np.int16, st.integers(0, 50))
TEXT = st.text(min_size=1, max_size=50).filter(lambda text: len(fold(text)) <= MOST_LETTERS)
SOUNDS = st.lists(TEXT, max_size=2).map(tuple)
TERMS = st.builds(Term, text=TEXT, sounds_like=SOUNDS, weight=st.just(1.0) | st.floats(0.1, 10))
SETTINGS = st.builds(
    SessionSettings,
    session=st.text(),
    origin=st.floats(0, 1e10),
    language=st.sampled_from(["en", "auto", "pt-BR"]),
    speaker=st.none() | st.text(),
    vocabulary=st.lists(TERMS, max_size=3, unique_by=lambda term: term.text).map(tidied),
    model=st.none() | st.text(),
    audio=st.none() | st.text(),
    own_terms=st.none() | st.integers(3, 100),
)
TRACES = st.dictionaries(st.sampled_from(TRACE), st.text(st.characters(codec="ascii"), max_size=80))
SEGMENTS = st.builds(
    AudioSegment,
    track=TRACKS, utterance=COUNTS, number=st.just(0), start=COUNTS, pcm=PCM, offset=COUNTS,
    last=st.booleans(), end=st.none() | COUNTS, paused=st.booleans(), settings=SETTINGS, trace=TRACES,
) | st.builds(
    AudioSegment,
    track=TRACKS, utterance=COUNTS, number=st.integers(1, 1000), start=COUNTS, pcm=PCM, offset=COUNTS,
    last=st.booleans(), end=st.none() | COUNTS, paused=st.booleans(), settings=st.none(), trace=TRACES,
)  # fmt: skip


MARKS = st.builds(
    AudioMark,
    track=TRACKS, utterance=COUNTS, position=COUNTS, offset=COUNTS, settings=SETTINGS, over=st.booleans(),
)  # fmt: skip


def a_record() -> Record:
    pcm: Pcm = np.array([1, -2], dtype=np.int16)
    settings = SessionSettings(session="s", origin=0.0, language="en")
    return write_audio(
        AudioSegment(track=RoomId("r").track("t"), utterance=0, number=0, start=0, pcm=pcm, offset=4, settings=settings)
    )


@given(SEGMENTS)
def test_audio_segments_survive_the_log(segment: AudioSegment) -> None:
    read = read_audio(write_audio(segment))
    assert isinstance(read, AudioSegment)
    assert np.array_equal(read.pcm, segment.pcm)
    for name in (
        "track",
        "utterance",
        "number",
        "start",
        "offset",
        "last",
        "end",
        "paused",
        "settings",
        "first",
        "trace",
    ):
        assert getattr(read, name) == getattr(segment, name)


@given(st.dictionaries(st.sampled_from(TRACE), st.binary()))
def test_no_trace_whatever_it_holds_costs_audio(headers: dict[str, bytes]) -> None:
    good = a_record()
    read = read_audio(Record(good.key, good.value, {**good.headers, **headers}))
    assert isinstance(read, AudioSegment)
    assert read.pcm.tolist() == [1, -2]
    write_audio(read)  # and what is read can be written again


def test_a_caption_carries_its_trace() -> None:
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "model=tiny.en"}
    message = TrackMessage(room="hall", track="main", state="live")
    assert trace_of(write_room_event(RoomId("hall"), message, trace=trace)) == trace
    assert trace_of(write_room_event(RoomId("hall"), message)) == {}


def test_a_record_that_does_not_say_that_the_speaker_paused_is_no_pause() -> None:
    record = a_record()
    assert "paused" not in record.headers
    read = read_audio(record)
    assert isinstance(read, AudioSegment)
    assert not read.paused
    paused = read_audio(Record(record.key, record.value, {**record.headers, "paused": b"1"}))
    assert isinstance(paused, AudioSegment)
    assert paused.paused


def test_a_record_from_before_formats_were_named_is_read() -> None:
    record = a_record()
    older = json.loads(record.headers["settings"])
    older.pop("audio", None)
    read = read_audio(Record(record.key, record.value, {**record.headers, "settings": json.dumps(older).encode()}))
    assert isinstance(read, AudioSegment)
    assert read.settings is not None
    assert read.settings.audio is None


@given(MARKS)
def test_marks_survive_the_log(mark: AudioMark) -> None:
    assert read_audio(write_mark(mark)) == mark


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "room"}, "neither room/track"),
        ({"value": b"odd"}, "not PCM16"),
        ({"headers": {"utterance": b"x"}}, "'utterance'"),
        ({"headers": {"start": b"-1"}}, "negative"),
        ({"headers": {"settings": b"{"}}, "cannot be read"),
        ({"headers": {"settings": b"[]"}}, "cannot be read"),
        ({"headers": {"settings": b"{}"}}, "cannot be read"),
        ({"headers": {"segment": b"1"}}, "first segment"),
    ],
)
def test_what_is_not_audio_is_named(change: dict[str, object], says: str) -> None:
    good = a_record()
    fields: dict[str, object] = {"key": good.key, "value": good.value, "headers": dict(good.headers)}
    headers = change.get("headers")
    fields |= {**change, "headers": {**good.headers, **headers}} if isinstance(headers, dict) else change
    with pytest.raises(RecordError, match=says):
        read_audio(Record(**fields))  # type: ignore[arg-type] # the fields are a record's own


@given(
    st.binary(), st.dictionaries(st.sampled_from(["utterance", "segment", "start", "offset", "settings"]), st.binary())
)
def test_no_record_raises_anything_but_a_record_error(value: bytes, headers: dict[str, bytes]) -> None:
    for read in (read_audio, read_room_event, read_usage):
        with suppress(RecordError):
            read(Record("room/track", value, headers))


def test_a_room_event_is_kept_without_its_seq() -> None:
    record = write_room_event(RoomId("hall"), TrackMessage(room="hall", track="main", state="live", seq=12))
    assert record.key == "hall"
    assert read_room_event(record).seq is None


@given(
    account=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), seconds=st.floats(0, 1e9, allow_nan=False)
)
def test_usage_is_read_as_it_was_written(account: str, seconds: float) -> None:
    total = UsageTotal("2026-12", f"key:{account}", "gateway", seconds)
    assert read_usage(write_usage(total)) == total


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("2026-12/g/key:a", b""),
        ("2026-12/g/key:a", b"nan"),
        ("2026-12/g/key:a", b"-1"),
        ("2026-12", b"1"),
        ("/g/", b"1"),
    ],
)
def test_what_is_no_usage_is_named(key: str, value: bytes) -> None:
    with pytest.raises(RecordError, match="usage"):
        read_usage(Record(key, value))
