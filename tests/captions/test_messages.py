import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.caption import Caption, CaptionId, Pass, Version
from captions.errors import BadRequest, Overloaded, TooLarge
from captions.messages import (
    CaptionMessage,
    End,
    Finalize,
    Gap,
    Keepalive,
    TrackMessage,
    caption_message,
    error_message,
    publisher_message,
    room_event,
)
from captions.track import RoomId
from captions.words import Word

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
TIMES = st.floats(0, 1e5)


def a_caption(*, final: bool, words: tuple[Word, ...], pass_: Pass = Pass.LIVE) -> Caption:
    return Caption(
        id=CaptionId(RoomId("main-hall").track("main"), 7),
        speaker="Ada",
        version=Version(pass_, 9),
        final=final,
        language="en",
        start=41.22,
        end=44.9,
        origin=1_764_000_000.5,
        words=words,
        stable=len(words),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"finalize"}', Finalize()),
        ('{"type":"keepalive","why":"muted"}', Keepalive()),
        ('{"type":"end"}', End()),
    ],
)
def test_a_publishers_messages_are_read_and_unknown_fields_ignored(text: str, message: object) -> None:
    assert publisher_message(text) == message


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"end"', "{}", '{"type":"stop"}', '{"type":null}', '{"type":7}']
)
def test_anything_else_is_a_bad_request_that_says_what_to_send(text: str) -> None:
    with pytest.raises(BadRequest, match="finalize, keepalive or end"):
        publisher_message(text)


@given(st.text())
def test_no_text_frame_raises_anything_but_a_refusal(text: str) -> None:
    with suppress(BadRequest):
        publisher_message(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_json_raises_anything_but_a_refusal(value: object) -> None:
    with suppress(BadRequest):
        publisher_message(json.dumps(value))


def test_a_caption_reads_as_the_protocol_writes_it() -> None:
    message = caption_message(a_caption(final=True, words=(Word("So", 41.22, 41.35, 0.97123),)))
    assert json.loads(message.encode()) == {
        "type": "caption",
        "room": "main-hall",
        "track": "main",
        "speaker": "Ada",
        "utterance": 7,
        "pass": "live",
        "revision": 9,
        "final": True,
        "language": "en",
        "start": 41.22,
        "end": 44.9,
        "started_at": "2025-11-24T16:00:41.720Z",
        "text": "So",
        "stable": 1,
        "words": [{"text": "So", "start": 41.22, "end": 41.35, "confidence": 0.971}],
    }


def test_a_final_says_what_decoded_it_and_one_from_before_it_did_is_read() -> None:
    message = caption_message(replace(a_caption(final=True, words=()), model="tiny.en@1a5afae06a4d"))
    sent = json.loads(message.encode())
    assert sent["model"] == "tiny.en@1a5afae06a4d"
    assert room_event(message.encode().encode()) == message
    del sent["model"]
    older = room_event(json.dumps(sent).encode())
    assert isinstance(older, CaptionMessage)
    assert older.model is None
    assert "model" not in json.loads(older.encode())


def test_words_are_absent_from_untimed_partials_and_always_on_finals() -> None:
    assert "words" not in json.loads(caption_message(a_caption(final=False, words=(Word("So"),))).encode())
    assert "words" not in json.loads(caption_message(a_caption(final=False, words=())).encode())
    assert json.loads(caption_message(a_caption(final=True, words=())).encode())["words"] == []


@pytest.mark.parametrize("pass_", list(Pass))
def test_every_pass_survives_the_wire(pass_: Pass) -> None:
    message = caption_message(a_caption(final=True, words=(), pass_=pass_))
    read = room_event(message.encode().encode())
    assert isinstance(read, CaptionMessage)
    assert read.version == Version(pass_, 9)


@given(NAMES, NAMES, st.none() | st.text(max_size=80), st.sampled_from(["live", "away", "ended"]))
def test_track_states_survive_the_wire(room: str, track: str, speaker: str | None, state: str) -> None:
    message = TrackMessage.model_validate({"room": room, "track": track, "speaker": speaker, "state": state})
    assert room_event(message.encode().encode()) == message


def test_a_gap_names_its_ends_as_the_protocol_does() -> None:
    assert json.loads(Gap(after=3, to=9).encode()) == {"type": "gap", "from": 3, "to": 9}


def test_a_refusal_says_when_to_try_again_where_it_helps() -> None:
    assert json.loads(error_message(Overloaded("busy", retry_after=5)).encode())["retry_after"] == 5
    assert "retry_after" not in json.loads(error_message(TooLarge("64 KiB at most")).encode())


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "ä", "a" * 65, "a\n"])
def test_names_outside_the_protocol_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="room"):
        room_event(json.dumps({"type": "track", "room": name, "track": "main", "state": "live"}).encode())
