"""Reads the server's messages into events.

Unknown fields are ignored, and optional fields may be absent.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from livecaptions_client.errors import UnreachableError
from livecaptions_client.events import (
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
    Word,
)

Message = dict[str, Any]
T = TypeVar("T")


def read_event(frame: str | bytes) -> Event:
    """Read a message. Raises ``UnreachableError`` if it is not a message of the protocol."""
    try:
        message = json.loads(frame)
        kind = _of(message, "type", str)
        read = READERS.get(kind)
        return Unknown(type=kind, json=message) if read is None else read(message)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UnreachableError(f"the server does not speak this protocol: it sent {frame[:60]!r}") from error


def _of(message: Message, name: str, kind: type[T]) -> T:
    value = message[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(name)
    return value


def _maybe(message: Message, name: str, kind: type[T]) -> T | None:
    return None if message.get(name) is None else _of(message, name, kind)


def _number(message: Message, name: str) -> float:
    value = message[name]
    if not isinstance(value, int | float):
        raise TypeError(name)
    return float(value)


def _maybe_number(message: Message, name: str) -> float | None:
    return None if message.get(name) is None else _number(message, name)


def _ready(message: Message) -> Ready:
    return Ready(
        session=_of(message, "session", str),
        room=_of(message, "room", str),
        track=_of(message, "track", str),
        offset=_of(message, "offset", int),
        resumable=message.get("resumable") is not False,
        json=message,
    )


def _ack(message: Message) -> Ack:
    return Ack(offset=_of(message, "offset", int), json=message)


def _warning(message: Message) -> AudioWarning:
    return AudioWarning(code=_of(message, "code", str), message=_of(message, "message", str), json=message)


def _word(message: Message) -> Word:
    return Word(
        text=_of(message, "text", str),
        start=_number(message, "start"),
        end=_number(message, "end"),
        confidence=_maybe_number(message, "confidence"),
        corrected_from=_maybe(message, "corrected_from", str),
    )


def _caption(message: Message) -> Caption:
    words = _maybe(message, "words", list)
    return Caption(
        room=_of(message, "room", str),
        track=_of(message, "track", str),
        speaker=_maybe(message, "speaker", str),
        utterance=_of(message, "utterance", int),
        pass_=_of(message, "pass", str),
        revision=_of(message, "revision", int),
        final=_of(message, "final", bool),
        language=_of(message, "language", str),
        start=_number(message, "start"),
        end=_number(message, "end"),
        started_at=datetime.fromisoformat(_of(message, "started_at", str)),
        text=_of(message, "text", str),
        stable=_of(message, "stable", int),
        words=None if words is None else tuple(map(_word, words)),
        seq=_maybe(message, "seq", int),
        model=_maybe(message, "model", str),
        json=message,
    )


def _track(message: Message) -> Track:
    return Track(
        track=_of(message, "track", str),
        speaker=_maybe(message, "speaker", str),
        state=_of(message, "state", str),
        seq=_maybe(message, "seq", int),
        json=message,
    )


def _live(message: Message) -> Live:
    return Live(json=message)


def _gap(message: Message) -> Gap:
    return Gap(after=_of(message, "from", int), to=_of(message, "to", int), json=message)


def _deleted(message: Message) -> Deleted:
    return Deleted(
        room=_of(message, "room", str),
        seq=_of(message, "seq", int),
        deleted_at=datetime.fromisoformat(_of(message, "deleted_at", str)),
        json=message,
    )


def _done(message: Message) -> Done:
    return Done(
        offset=_of(message, "offset", int),
        seconds=_number(message, "seconds"),
        warnings=tuple(map(_warning, _maybe(message, "warnings", list) or ())),
        json=message,
    )


def _error(message: Message) -> Error:
    return Error(
        code=_of(message, "code", str),
        message=_of(message, "message", str),
        retry_after=_maybe_number(message, "retry_after"),
        json=message,
    )


READERS: dict[str, Callable[[Message], Event]] = {
    "ready": _ready,
    "ack": _ack,
    "warning": _warning,
    "caption": _caption,
    "track": _track,
    "live": _live,
    "gap": _gap,
    "deleted": _deleted,
    "done": _done,
    "error": _error,
}
