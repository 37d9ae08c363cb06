"""The project's own protocol; docs/protocol.md describes it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

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
"""The largest frame that a publisher may send, in bytes."""

NORMAL_CLOSURE = 1000


_DEFAULT = AudioFormat()


class FormatQuery(BaseModel):
    """The query parameters that declare the audio format."""

    encoding: Encoding = _DEFAULT.encoding
    sample_rate: int = Field(_DEFAULT.sample_rate, ge=8_000, le=48_000)
    channels: int = Field(_DEFAULT.channels, ge=1, le=8)


def stream_options(query: Query) -> StreamOptions:
    """Parse a publisher's query parameters. Each has one or more values.

    If a parameter is given several times, the last value counts; ``vocabulary`` takes all of them: each a term, or a
    JSON object with what is known of it. Unknown parameters are ignored. Raises ``BadRequest``, whose message names the
    parameter that is not valid.
    """
    values: dict[str, Any] = {name: given[-1] for name, given in query.items()}
    if "vocabulary" in query:
        values["vocabulary"] = tuple(map(_term, query["vocabulary"]))
    named = {name: values[name] for name in FormatQuery.model_fields if name in values}
    if named.get("encoding") == Encoding.CONTAINER:
        named = {"encoding": Encoding.CONTAINER}  # a container declares its rate and channels itself
    try:
        given = FormatQuery.model_validate(named)
        audio = AudioFormat(given.encoding, given.sample_rate, given.channels) if named else None
        return StreamOptions.model_validate({**values, "audio": audio})
    except ValidationError as error:
        raise BadRequest(explain(error)) from error


def _term(value: str) -> object:
    """A term as it is written, or the object that it is in JSON."""
    if value.startswith("{"):
        with suppress(ValueError):  # then it is a term that begins with a bracket
            return from_json(value)
    return value


class NativeProtocol:
    """The ``publish`` socket of ``/v1``: audio in binary frames, JSON in text frames."""

    largest_frame = LARGEST_FRAME

    def options(self, query: Query) -> StreamOptions:
        """Parse a publisher's query parameters, as ``stream_options`` does."""
        return stream_options(query)

    def receive(self, frame: Frame) -> Sequence[Command]:
        """Translate a frame into commands. Raises ``TooLarge``, and ``BadRequest`` for a text that is not a message."""
        if isinstance(frame, bytes):
            _check_size(len(frame))
            return (Audio(frame),)
        _check_size(len(frame.encode(errors="surrogatepass")))
        match publisher_message(frame):
            case Finalize():
                return (FinalizeUtterance(),)
            case Keepalive():
                return (Mute(),)
            case End():
                return (EndStream(),)

    def send(self, event: Event) -> Sequence[Frame]:
        """Translate an event into a message. ``SpeechStarted`` has none."""
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
        """Close normally, with code 1000."""
        return Closing((), NORMAL_CLOSURE, "")

    def refuse(self, refusal: Refusal) -> Closing:
        """Send the refusal as an ``error`` message, and close with its close code."""
        return Closing((error_message(refusal).encode(),), refusal.close_code, refusal.code)


def _check_size(size: int) -> None:
    if size > LARGEST_FRAME:
        raise TooLarge(f"the frame has {size} bytes; send at most {LARGEST_FRAME} bytes per frame")
