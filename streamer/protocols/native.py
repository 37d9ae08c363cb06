"""Our own protocol, as docs/protocol.md describes it."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from captions.errors import BadRequest, Refusal, TooLarge
from captions.explain import explain
from captions.messages import (
    Ack,
    End,
    Finalize,
    Keepalive,
    Ready,
    WarningMessage,
    done,
    error_message,
    publisher_message,
)
from captions.publication import (
    Accepted,
    Acknowledged,
    Audio,
    Captioned,
    Command,
    EndStream,
    Event,
    FinalizeUtterance,
    Finished,
    Mute,
    SpeechStarted,
    Warned,
)
from captions.stream_options import AudioFormat, Encoding, StreamOptions
from streamer.protocols.protocol import Closing, Frame, Query

LARGEST_FRAME = 64 * 1024
"""Bytes of the largest frame that a publisher may send."""

NORMAL_CLOSURE = 1000


class FormatQuery(BaseModel):
    """The query parameters that say how the bytes are to be read."""

    encoding: Encoding = Encoding.LINEAR16
    sample_rate: int = Field(16_000, ge=8_000, le=48_000)
    channels: int = Field(1, ge=1, le=8)


def stream_options(query: Query) -> StreamOptions:
    """The options in a publisher's query parameters. Raises ``BadRequest`` naming the one that is wrong."""
    values: dict[str, Any] = {name: given if name == "vocabulary" else given[-1] for name, given in query.items()}
    named = {name: values[name] for name in FormatQuery.model_fields if name in values}
    if named.get("encoding") == Encoding.CONTAINER:
        named = {"encoding": Encoding.CONTAINER}  # it describes itself
    try:
        given = FormatQuery.model_validate(named)
        audio = AudioFormat(given.encoding, given.sample_rate, given.channels) if named else None
        return StreamOptions.model_validate({**values, "audio": audio})
    except ValidationError as error:
        raise BadRequest(explain(error)) from error


class NativeProtocol:
    """The ``publish`` socket of ``/v1``: audio in binary frames, JSON in text frames."""

    def options(self, query: Query) -> StreamOptions:
        """What the query parameters ask for. Raises ``BadRequest`` naming the one that is wrong."""
        return stream_options(query)

    def receive(self, frame: Frame) -> Sequence[Command]:
        """What a frame asks for. Raises ``TooLarge``, and ``BadRequest`` for a text that is no message."""
        if isinstance(frame, bytes):
            _check_size(len(frame))
            return (Audio(frame),)
        _check_size(len(frame.encode()))
        match publisher_message(frame):
            case Finalize():
                return (FinalizeUtterance(),)
            case Keepalive():
                return (Mute(),)
            case End():
                return (EndStream(),)

    def send(self, event: Event) -> Sequence[Frame]:
        """The message of an event."""
        match event:
            case Accepted(session=session, track=track, offset=offset):
                return (Ready(session=session, room=track.room.name, track=track.name, offset=offset).encode(),)
            case Acknowledged(offset):
                return (Ack(offset=offset).encode(),)
            case SpeechStarted():
                return ()
            case Captioned(json=json):
                return (json.decode(),)
            case Warned(warning):
                return (WarningMessage(code=warning.code, message=warning.message).encode(),)
            case Finished(offset=offset, seconds=seconds, warnings=warnings):
                return (done(offset, seconds, warnings).encode(),)

    def finish(self) -> Closing:
        """A normal closure."""
        return Closing((), NORMAL_CLOSURE, "")

    def refuse(self, refusal: Refusal) -> Closing:
        """The refusal's message, and the close code that belongs to it."""
        return Closing((error_message(refusal).encode(),), refusal.close_code, refusal.code)


def _check_size(size: int) -> None:
    if size > LARGEST_FRAME:
        raise TooLarge(f"a frame of {size} bytes; send at most {LARGEST_FRAME} at a time")
