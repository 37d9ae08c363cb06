"""The JSON messages of the WebSocket protocol (docs/protocol.md).

Unknown fields are ignored. An unknown message type is an error of the sender. Times are seconds; offsets are bytes of
the audio stream as sent.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_serializer,
)

from captions.audio_warnings import AudioWarning, WarningCode
from captions.caption import Caption, Pass, Version
from captions.errors import BadRequest, Refusal
from captions.explain import NAME_PATTERN, explain
from captions.words import Word

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
PassLabel = Literal["live", "refined", "edited"]
TrackState = Literal["live", "away", "ended"]


def in_utc(time: datetime) -> str:
    """A time as ISO 8601 in UTC, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Message(BaseModel):
    """A JSON text frame. Fields named in ``omitted_when_none`` are left out if they are None."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)
    omitted_when_none: ClassVar[frozenset[str]] = frozenset()

    def encode(self) -> str:
        """Serialise the message to JSON."""
        absent = {name for name in self.omitted_when_none if getattr(self, name) is None}
        return self.model_dump_json(by_alias=True, exclude=absent)


class Finalize(Message):
    """From a publisher: end the current utterance now."""

    type: Literal["finalize"] = "finalize"


class Keepalive(Message):
    """From a publisher: the connection is alive, but no audio is sent for now."""

    type: Literal["keepalive"] = "keepalive"


class End(Message):
    """From a publisher: the audio has ended."""

    type: Literal["end"] = "end"


PublisherMessage = Annotated[Finalize | Keepalive | End, Field(discriminator="type")]
_publisher_message: TypeAdapter[Finalize | Keepalive | End] = TypeAdapter(PublisherMessage)


class Ready(Message):
    """To a publisher, first: the session is ready. The publisher sends the stream from byte ``offset``."""

    type: Literal["ready"] = "ready"
    session: str
    room: str
    track: str
    offset: int
    resumable: bool = True


class Ack(Message):
    """To a publisher: the first ``offset`` bytes are stored on the log, or were silence."""

    type: Literal["ack"] = "ack"
    offset: int


class WarningMessage(Message):
    """To a publisher: something is wrong with the audio. The session continues."""

    type: Literal["warning"] = "warning"
    code: WarningCode
    message: str


class DoneWarning(BaseModel):
    """A warning repeated in ``done``."""

    code: WarningCode
    message: str


class Done(Message):
    """To a publisher, last: all captions were sent. The session received ``seconds`` of audio."""

    omitted_when_none = frozenset({"warnings"})
    type: Literal["done"] = "done"
    offset: int
    seconds: float
    warnings: tuple[DoneWarning, ...] | None = None


class ErrorMessage(Message):
    """To any client: a refusal. ``retry_after`` is in seconds."""

    omitted_when_none = frozenset({"retry_after"})
    type: Literal["error"] = "error"
    code: str
    message: str
    retry_after: float | None = None


class Live(Message):
    """To a viewer: the history is complete, and live events follow."""

    type: Literal["live"] = "live"


class Gap(Message):
    """To a viewer: the events after ``from``, up to and including ``to``, are no longer retained."""

    type: Literal["gap"] = "gap"
    after: int = Field(alias="from")
    to: int


class WordMessage(Message):
    """A word with its start and end in seconds and its confidence in 0..1.

    ``corrected_from`` is what was heard, if a term of the vocabulary replaced it.
    """

    text: str
    start: float
    end: float
    confidence: float | None = None
    corrected_from: str | None = Field(None, exclude_if=lambda value: value is None)


class CaptionMessage(Message):
    """A caption; it replaces the earlier one of the same track and utterance.

    ``model`` is what decoded a final, ``NAME@REVISION``.
    """

    omitted_when_none = frozenset({"seq", "words", "model"})
    type: Literal["caption"] = "caption"
    seq: int | None = None
    room: Name
    track: Name
    speaker: str | None = None
    utterance: int
    pass_: PassLabel = Field(alias="pass")
    revision: int
    final: bool
    language: str
    start: float
    end: float
    started_at: AwareDatetime
    text: str
    stable: int
    words: tuple[WordMessage, ...] | None = None
    model: str | None = None

    @property
    def version(self) -> Version:
        """The version, which orders messages of the same caption."""
        return Version(Pass[self.pass_.upper()], self.revision)

    @field_serializer("started_at")
    def _in_utc(self, value: AwareDatetime) -> str:
        return in_utc(value)


class TrackMessage(Message):
    """The state of a track: its publisher is connected (live), disconnected (away), or finished (ended)."""

    omitted_when_none = frozenset({"seq"})
    type: Literal["track"] = "track"
    seq: int | None = None
    room: Name
    track: Name
    speaker: str | None = None
    state: TrackState


class Deleted(Message):
    """To a viewer: everything in the room up to ``seq`` was deleted, and so were the partials before this message."""

    omitted_when_none = frozenset({"seq"})
    type: Literal["deleted"] = "deleted"
    seq: int | None = None
    room: Name
    deleted_at: AwareDatetime

    @field_serializer("deleted_at")
    def _in_utc(self, value: AwareDatetime) -> str:
        return in_utc(value)


RoomEvent = CaptionMessage | TrackMessage
"""An event of a room, as it is stored on the log and sent to viewers."""

_PASS_LABELS: dict[Pass, PassLabel] = {Pass.LIVE: "live", Pass.REFINED: "refined", Pass.EDITED: "edited"}
_room_event: TypeAdapter[RoomEvent] = TypeAdapter(Annotated[RoomEvent, Field(discriminator="type")])


def publisher_message(text: str) -> Finalize | Keepalive | End:
    """Parse a publisher's text frame. Raises ``BadRequest`` with the reason."""
    try:
        return _publisher_message.validate_json(text)
    except ValidationError as error:
        raise BadRequest(f"not a valid message: {explain(error)}; send finalize, keepalive or end") from error


def room_event(data: bytes) -> RoomEvent:
    """Parse a caption or track state from JSON. Raises ``ValueError`` if it is neither."""
    return _room_event.validate_json(data)


def caption_message(caption: Caption) -> CaptionMessage:
    """Convert a caption to its message. Words are listed if all of them are timed, and always in finals."""
    timed = [w for w in (word_message(word) for word in caption.words) if w is not None]
    listed = caption.final or len(timed) == len(caption.words) > 0
    return CaptionMessage(
        room=caption.id.track.room.name,
        track=caption.id.track.name,
        speaker=caption.speaker,
        utterance=caption.id.utterance,
        pass_=_PASS_LABELS[caption.version.pass_],
        revision=caption.version.revision,
        final=caption.final,
        language=caption.language,
        start=round(caption.start, 3),
        end=round(caption.end, 3),
        started_at=caption.started_at,
        text=caption.text,
        stable=caption.stable,
        words=tuple(timed) if listed else None,
        model=caption.model,
    )


def word_message(word: Word) -> WordMessage | None:
    """Convert a word to its message; None for a word without times."""
    if word.start is None or word.end is None:
        return None
    confidence = None if word.confidence is None else round(word.confidence, 3)
    return WordMessage(
        text=word.text,
        start=round(word.start, 3),
        end=round(word.end, 3),
        confidence=confidence,
        corrected_from=word.corrected_from,
    )


def done(offset: int, seconds: float, warnings: Iterable[AudioWarning]) -> Done:
    """Build the ``done`` message, which follows the last caption of a session."""
    listed = tuple(DoneWarning(code=warning.code, message=warning.message) for warning in warnings)
    return Done(offset=offset, seconds=seconds, warnings=listed or None)


def error_message(refusal: Refusal) -> ErrorMessage:
    """Convert a refusal to its message."""
    return ErrorMessage(code=refusal.code, message=refusal.message, retry_after=refusal.retry_after)
