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
from dataclasses import fields as dataclass_fields
from typing import NamedTuple

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
EPOCH = "epoch"
"""Header of what a gateway writes of a session: the offset of its claim."""
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
    ``offset`` is how many bytes of the session's audio stream are safe once this record is. ``paused``: the speaker
    paused at its end, so its last word is complete; a record without that header does not say so.
    ``settings`` is there on the first segment. ``trace`` is the context of the utterance's trace. ``epoch`` is the
    offset of its gateway's claim on the session (``captions.fencing``).
    """

    track: TrackId
    utterance: int
    number: int
    start: int
    pcm: Pcm
    offset: int
    last: bool = False
    end: int | None = None
    paused: bool = False
    settings: SessionSettings | None = None
    epoch: int | None = None
    trace: Context = field(default_factory=dict)

    @property
    def first(self) -> bool:
        """Whether this segment opens its utterance."""
        return self.number == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMark:
    """How far a session has come where nobody speaks: up to ``position`` in samples and ``offset`` in bytes.

    ``utterance`` is the number that the next utterance gets. ``over``: the session has ended. ``claim``: the gateway
    that writes it holds the session from here on, and ``epoch`` of what it writes later is this mark's offset. The
    claim of a takeover ``supersedes`` the epoch of the gateway that held the session.
    """

    track: TrackId
    utterance: int
    position: int
    offset: int
    settings: SessionSettings
    over: bool = False
    claim: bool = False
    supersedes: int | None = None
    epoch: int | None = None


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
    if segment.paused:
        headers["paused"] = b"1"
    if segment.settings is not None:
        headers["settings"] = _settings_header(segment.settings)
    headers |= _epoch_header(segment.epoch) | trace_headers(segment.trace)
    return Record(segment.track.key, to_bytes(segment.pcm), headers)


def write_mark(mark: AudioMark) -> Record:
    """The record of a mark."""
    facts = {"utterance": mark.utterance, "mark": mark.position, "offset": mark.offset}
    headers = {name: str(value).encode() for name, value in facts.items()}
    headers["settings"] = _settings_header(mark.settings)
    if mark.over:
        headers["over"] = b"1"
    if mark.claim:
        headers["claim"] = b"1"
    if mark.supersedes is not None:
        headers["supersedes"] = str(mark.supersedes).encode()
    headers |= _epoch_header(mark.epoch)
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
            claim="claim" in headers,
            supersedes=_whole(headers, "supersedes") if "supersedes" in headers else None,
            epoch=_epoch(headers),
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
        paused="paused" in headers,
        settings=_settings(headers["settings"]) if number == 0 else None,
        epoch=_epoch(headers),
        trace=trace_of(record),
    )


_SETTINGS_FIELDS = frozenset(field.name for field in dataclass_fields(SessionSettings))
"""A newer gateway may write others, which are ignored."""


def _settings_header(settings: SessionSettings) -> bytes:
    given = {name: value for name, value in asdict(settings).items() if value is not None}
    return json.dumps(given, ensure_ascii=False).encode()


def _epoch_header(epoch: int | None) -> dict[str, bytes]:
    return {} if epoch is None else {EPOCH: str(epoch).encode()}


def _epoch(headers: Mapping[str, bytes]) -> int | None:
    return _whole(headers, EPOCH) if EPOCH in headers else None


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
        fields = {name: value for name, value in json.loads(data).items() if name in _SETTINGS_FIELDS}
        return SessionSettings(**{**fields, "vocabulary": tuple(fields.get("vocabulary", ()))})
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordError(f"audio header 'settings' cannot be read: {error}") from error


def write_room_event(
    room: RoomId,
    message: RoomEvent,
    *,
    gateway: str | None = None,
    epoch: int | None = None,
    stable: Sequence[str] | None = None,
    trace: Context = NO_CONTEXT,
) -> Record:
    """The record of a caption or a track state; its ``seq`` will be the offset it gets.

    ``gateway`` names the gateway that announces a track's state, with the ``epoch`` of its session: a gateway that
    holds the track in an earlier epoch lets go of it. ``stable`` are the words of a partial that stand: a worker that
    goes on with the utterance keeps them. ``trace`` is the context of its trace.
    """
    headers = ({} if gateway is None else {GATEWAY: gateway.encode()}) | _epoch_header(epoch)
    if stable is not None:
        headers[STABLE] = json.dumps(stable, ensure_ascii=False).encode()
    headers |= trace_headers(trace)
    return Record(room.key, message.model_copy(update={"seq": None}).encode().encode(), headers)


class Origin(NamedTuple):
    """Which gateway put a track state on the log, and in which epoch of its session; None where that is not known."""

    gateway: str | None
    epoch: int | None


def origin_of(record: Record) -> Origin:
    """Where a track state comes from."""
    gateway, epoch = record.headers.get(GATEWAY), record.headers.get(EPOCH, b"")
    return Origin(
        gateway.decode(errors="replace") if gateway is not None else None, int(epoch) if epoch.isdigit() else None
    )


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
