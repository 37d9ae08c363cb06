"""The log's vocabulary: what the topics hold and how it is written.

``audio``
    keyed by ``room/track``: segments of speech, PCM16 in the value, small facts in the headers.
``captions``
    keyed by room: finals and track states, as the JSON that viewers get, without its ``seq``.
``partials``
    keyed by room: partial captions, likewise.
``dead-letters``
    what could not be dealt with, as it was, with the reason in its headers: for people to look at.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from captions.audio import BYTES_PER_SAMPLE, Pcm, from_bytes, to_bytes
from captions.errors import RecordError
from captions.messages import RoomEvent, room_event
from captions.ports.log import Record
from captions.session import SessionSettings

AUDIO = "audio"
CAPTIONS = "captions"
PARTIALS = "partials"
DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSegment:
    """A segment of one utterance's speech, about 200 ms.

    ``utterance`` counts in the track, ``number`` in the utterance, both from 0. ``start`` is the position of
    the segment's first sample, in samples from the track's first. ``last`` ends the utterance; its audio goes
    to sample ``end`` only (None: all of it), for one that grew too long is cut where it was quietest.
    ``offset`` is how many bytes of the session's audio stream are safe once this record is.
    ``settings`` is there on the first segment.
    """

    room: str
    track: str
    utterance: int
    number: int
    start: int
    pcm: Pcm
    offset: int
    last: bool = False
    end: int | None = None
    settings: SessionSettings | None = None

    @property
    def first(self) -> bool:
        """Whether this segment opens its utterance."""
        return self.number == 0


def audio_key(room: str, track: str) -> str:
    """The key of a track's audio: names hold no slash."""
    return f"{room}/{track}"


def write_audio(segment: AudioSegment) -> Record:
    """The record of an audio segment."""
    facts = {
        "utterance": segment.utterance,
        "segment": segment.number,
        "start": segment.start,
        "offset": segment.offset,
    }
    headers = {name: str(value).encode() for name, value in facts.items()}
    if segment.last:
        headers["last"] = b"1"
    if segment.end is not None:
        headers["end"] = str(segment.end).encode()
    if segment.settings is not None:
        headers["settings"] = json.dumps(asdict(segment.settings), ensure_ascii=False).encode()
    return Record(audio_key(segment.room, segment.track), to_bytes(segment.pcm), headers)


def read_audio(record: Record) -> AudioSegment:
    """The audio segment of a record. Raises ``RecordError`` where it is not one."""
    room, slash, track = record.key.partition("/")
    if not slash:
        raise RecordError(f"audio key {record.key!r} is not room/track")
    if len(record.value) % BYTES_PER_SAMPLE:
        raise RecordError(f"audio value of {len(record.value)} bytes is not PCM16")
    headers = record.headers
    number = _whole(headers, "segment")
    if (number == 0) != ("settings" in headers):
        raise RecordError("settings belong on the first segment of an utterance, and only there")
    return AudioSegment(
        room=room,
        track=track,
        utterance=_whole(headers, "utterance"),
        number=number,
        start=_whole(headers, "start"),
        pcm=from_bytes(record.value),
        offset=_whole(headers, "offset"),
        last="last" in headers,
        end=_whole(headers, "end") if "end" in headers else None,
        settings=_settings(headers["settings"]) if number == 0 else None,
    )


def _whole(headers: Mapping[str, bytes], name: str) -> int:
    try:
        value = int(headers[name])
    except (KeyError, ValueError) as error:
        raise RecordError(f"audio header {name!r} is missing or not a number") from error
    if value < 0:
        raise RecordError(f"audio header {name!r} is negative: {value}")
    return value


def _settings(data: bytes) -> SessionSettings:
    try:
        fields = json.loads(data)
        return SessionSettings(**{**fields, "vocabulary": tuple(fields.get("vocabulary", ()))})
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordError(f"audio header 'settings' cannot be read: {error}") from error


def write_room_event(message: RoomEvent) -> Record:
    """The record of a caption or a track state; its ``seq`` will be the offset it gets."""
    return Record(message.room, message.model_copy(update={"seq": None}).encode().encode())


def read_room_event(record: Record) -> RoomEvent:
    """The caption or track state of a record, without ``seq``. Raises ``RecordError`` where it is neither."""
    try:
        return room_event(record.value)
    except ValueError as error:
        raise RecordError(f"not a caption or a track state: {error}") from error
