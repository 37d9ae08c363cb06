"""The log's vocabulary: what the topics hold and how it is written.

``audio``
    keyed by track: segments of speech, PCM16 in the value, small facts in the headers; and while nobody speaks marks,
    which say how far the session has come, for any gateway that takes it over.
``captions``
    keyed by room: finals and track states, as the JSON that viewers get, without its ``seq``.
``partials``
    keyed by room: partial captions, likewise.
``dead-letters``
    what could not be dealt with, as it was, with the reason in its headers: for people to look at.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from captions.audio import BYTES_PER_SAMPLE, Pcm, from_bytes, to_bytes
from captions.errors import RecordError
from captions.messages import RoomEvent, room_event
from captions.ports.log import Record
from captions.ports.tracer import NO_CONTEXT, Context
from captions.session import SessionSettings
from captions.track import RoomId, TrackId

AUDIO = "audio"
CAPTIONS = "captions"
PARTIALS = "partials"
DEAD_LETTERS = "dead-letters"

GATEWAY = "gateway"
"""Header of a track state: the gateway that said it."""
STABLE = "stable"
"""Header of a partial: its stable words, one by one."""
TRACE = ("traceparent", "tracestate", "baggage")
"""Headers of whatever is traced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSegment:
    """A segment of one utterance's speech, about 200 ms.

    ``utterance`` counts in the track, ``number`` in the utterance, both from 0. ``start`` is the position of
    the segment's first sample, in samples from the track's first. ``last`` ends the utterance; its audio goes
    to sample ``end`` only (None: all of it), for one that grew too long is cut where it was quietest.
    ``offset`` is how many bytes of the session's audio stream are safe once this record is.
    ``settings`` is there on the first segment. ``trace`` is the context of the utterance's trace.
    """

    track: TrackId
    utterance: int
    number: int
    start: int
    pcm: Pcm
    offset: int
    last: bool = False
    end: int | None = None
    settings: SessionSettings | None = None
    trace: Context = field(default_factory=dict)

    @property
    def first(self) -> bool:
        """Whether this segment opens its utterance."""
        return self.number == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMark:
    """How far a session has come where nobody speaks: up to ``position`` in samples and ``offset`` in bytes.

    ``utterance`` is the number that the next utterance gets. ``over``: the session has ended.
    """

    track: TrackId
    utterance: int
    position: int
    offset: int
    settings: SessionSettings
    over: bool = False


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
        headers["settings"] = _settings_header(segment.settings)
    headers |= trace_headers(segment.trace)
    return Record(segment.track.key, to_bytes(segment.pcm), headers)


def write_mark(mark: AudioMark) -> Record:
    """The record of a mark."""
    facts = {"utterance": mark.utterance, "mark": mark.position, "offset": mark.offset}
    headers = {name: str(value).encode() for name, value in facts.items()}
    headers["settings"] = _settings_header(mark.settings)
    if mark.over:
        headers["over"] = b"1"
    return Record(mark.track.key, b"", headers)


def read_audio(record: Record) -> AudioSegment | AudioMark:
    """The audio segment or the mark of a record. Raises ``RecordError`` where it is neither."""
    track = TrackId.from_key(record.key)
    if len(record.value) % BYTES_PER_SAMPLE:
        raise RecordError(f"audio value of {len(record.value)} bytes is not PCM16")
    headers = record.headers
    if "mark" in headers:
        return AudioMark(
            track=track,
            utterance=_whole(headers, "utterance"),
            position=_whole(headers, "mark"),
            offset=_whole(headers, "offset"),
            settings=_settings(headers.get("settings", b"")),
            over="over" in headers,
        )
    number = _whole(headers, "segment")
    if (number == 0) != ("settings" in headers):
        raise RecordError("settings belong on the first segment of an utterance, and only there")
    return AudioSegment(
        track=track,
        utterance=_whole(headers, "utterance"),
        number=number,
        start=_whole(headers, "start"),
        pcm=from_bytes(record.value),
        offset=_whole(headers, "offset"),
        last="last" in headers,
        end=_whole(headers, "end") if "end" in headers else None,
        settings=_settings(headers["settings"]) if number == 0 else None,
        trace=trace_of(record),
    )


def _settings_header(settings: SessionSettings) -> bytes:
    return json.dumps(asdict(settings), ensure_ascii=False).encode()


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


def write_room_event(
    room: RoomId,
    message: RoomEvent,
    *,
    gateway: str | None = None,
    stable: Sequence[str] | None = None,
    trace: Context = NO_CONTEXT,
) -> Record:
    """The record of a caption or a track state; its ``seq`` will be the offset it gets.

    ``gateway`` names the gateway that holds the track: another that believes to hold it lets go. ``stable`` are a
    partial's words that stand: whoever goes on with the utterance keeps them. ``trace`` is the context of its trace.
    """
    headers = {} if gateway is None else {GATEWAY: gateway.encode()}
    if stable is not None:
        headers[STABLE] = json.dumps(stable, ensure_ascii=False).encode()
    headers |= trace_headers(trace)
    return Record(room.key, message.model_copy(update={"seq": None}).encode().encode(), headers)


def stable_words(record: Record) -> list[str]:
    """The words of a partial's record that stand. Raises ``RecordError`` where it does not tell them."""
    try:
        return [str(word) for word in json.loads(record.headers[STABLE])]
    except (KeyError, ValueError, TypeError) as error:
        raise RecordError(f"header {STABLE!r} cannot be read: {error}") from error


def trace_of(record: Record) -> Context:
    """The context of its trace that a record carries, as it is: whoever traces sees whether it is one."""
    headers = record.headers
    return {name: headers[name].decode("ascii", errors="replace") for name in TRACE if name in headers}


def trace_headers(context: Context) -> dict[str, bytes]:
    """The headers that carry the context of a trace."""
    return {name: value.encode("ascii", errors="replace") for name, value in context.items()}


def read_room_event(record: Record) -> RoomEvent:
    """The caption or track state of a record, without ``seq``. Raises ``RecordError`` where it is neither."""
    try:
        return room_event(record.value)
    except ValueError as error:
        raise RecordError(f"not a caption or a track state: {error}") from error
