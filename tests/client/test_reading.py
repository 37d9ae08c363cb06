import json
from datetime import UTC, datetime
from typing import Any

import pytest

from captions import messages as protocol
from livecaptions_client import (
    Ack,
    AudioWarning,
    Caption,
    Deleted,
    Done,
    Error,
    Event,
    Gap,
    Live,
    Ready,
    Track,
    Unknown,
    UnreachableError,
    Word,
)
from livecaptions_client.reading import READERS, read_event
from tests.client.messages import caption_message, caption_of, event_of

WARNING: dict[str, Any] = {"code": "clipping", "message": "too loud"}

EVENTS: list[tuple[dict[str, Any], type[Event], dict[str, Any]]] = [
    (
        {"type": "ready", "session": "s", "room": "hall", "track": "main", "offset": 7, "resumable": False},
        Ready,
        {"session": "s", "room": "hall", "track": "main", "offset": 7, "resumable": False},
    ),
    (
        {"type": "ready", "session": "s", "room": "hall", "track": "main", "offset": 0},
        Ready,
        {"session": "s", "room": "hall", "track": "main", "offset": 0, "resumable": True},
    ),
    ({"type": "ack", "offset": 9}, Ack, {"offset": 9}),
    ({"type": "warning", **WARNING}, AudioWarning, WARNING),
    (
        {"type": "track", "seq": 8, "track": "main", "speaker": "Ada", "state": "away"},
        Track,
        {"track": "main", "speaker": "Ada", "state": "away", "seq": 8},
    ),
    (
        {"type": "track", "track": "main", "state": "live"},
        Track,
        {"track": "main", "speaker": None, "state": "live", "seq": None},
    ),
    ({"type": "live"}, Live, {}),
    ({"type": "gap", "from": 3, "to": 9}, Gap, {"after": 3, "to": 9}),
    (
        {"type": "deleted", "seq": 9, "room": "hall", "deleted_at": "2026-11-28T12:00:00.000Z"},
        Deleted,
        {"seq": 9, "room": "hall", "deleted_at": datetime(2026, 11, 28, 12, tzinfo=UTC)},
    ),
    ({"type": "done", "offset": 9, "seconds": 1}, Done, {"offset": 9, "seconds": 1.0, "warnings": ()}),
    (
        {"type": "done", "offset": 9, "seconds": 1.5, "warnings": [WARNING]},
        Done,
        {"offset": 9, "seconds": 1.5, "warnings": (AudioWarning(**WARNING, json=WARNING),)},
    ),
    (
        {"type": "error", "code": "too_many", "message": "full", "retry_after": 5},
        Error,
        {"code": "too_many", "message": "full", "retry_after": 5.0},
    ),
    (
        {"type": "error", "code": "internal", "message": "ours"},
        Error,
        {"code": "internal", "message": "ours", "retry_after": None},
    ),
    ({"type": "applause"}, Unknown, {"type": "applause"}),
]


@pytest.mark.parametrize(("message", "kind", "fields"), EVENTS)
def test_every_message_becomes_its_event(message: dict[str, Any], kind: type[Event], fields: dict[str, Any]) -> None:
    assert event_of(message) == kind(**fields, json=message)
    later = {**message, "field of a later version": [1, {"a": None}]}
    assert event_of(later) == kind(**fields, json=later)


def test_a_caption_has_its_words_and_its_version() -> None:
    words = [
        {"text": "So", "start": 41.22, "end": 41.35, "confidence": 0.97, "corrected_from": "sow", "tone": "new"},
        {"text": "the", "start": 41.4, "end": 42},
    ]
    model = "tiny.en@1a5afae06a4d"
    caption = caption_of("So the", words=words, seq=812, final=True, speaker="Ada", stable=2, model=model)
    assert caption.words == (
        Word(text="So", start=41.22, end=41.35, confidence=0.97, corrected_from="sow"),
        Word(text="the", start=41.4, end=42.0, confidence=None),
    )
    assert caption.started_at == datetime(2026, 11, 23, 17, 58, 3, 120_000, UTC)
    assert (caption.seq, caption.speaker, caption.stable, caption.model) == (812, "Ada", 2, model)


def test_a_partial_may_lack_what_is_optional() -> None:
    message = caption_message("So")
    del message["speaker"]
    caption = event_of(message)
    assert isinstance(caption, Caption)
    assert (caption.speaker, caption.words, caption.seq, caption.model) == (None, None, None, None)


def test_later_passes_and_revisions_have_greater_versions() -> None:
    versions = [
        caption_of("", **{"pass": name, "revision": revision}).version
        for name, revision in (("live", 1), ("live", 9), ("refined", 0), ("edited", 0), ("a later pass", 0))
    ]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize(
    "frame",
    [
        "hello", b"\xff", "[]", '"ack"', "{}", '{"type":7}', '{"type":"ack"}', '{"type":"ack","offset":"9"}',
        '{"type":"done","offset":1,"seconds":"1"}', '{"type":"done","offset":1,"seconds":1,"warnings":[7]}',
        json.dumps(caption_message("x", started_at="yesterday")), json.dumps(caption_message("x", words=["x"])),
        json.dumps(caption_message("x", model=7)),
    ],
)  # fmt: skip
def test_what_is_no_message_is_said(frame: str | bytes) -> None:
    with pytest.raises(UnreachableError, match="does not speak this protocol"):
        read_event(frame)


def test_every_message_of_the_server_has_an_event() -> None:
    """The server's own list, so that a new message is not forgotten here."""
    of_clients = {"finalize", "keepalive", "end"}
    kinds = {
        field.default
        for message in protocol.Message.__subclasses__()
        if (field := message.model_fields.get("type")) is not None
    }
    assert kinds - of_clients == set(READERS)
