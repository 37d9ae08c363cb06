"""The records of each topic, and how they are written and read.

``audio``
    Keyed by track. Segments of speech: PCM16 in the value, fields in the headers. During silence also marks, which
    tell a gateway that takes over the session how far it has come.
``captions``
    Keyed by room. Finals and track states, as the JSON that viewers get without ``seq``.
``partials``
    Keyed by room. Partial captions in the same format.
``usage``
    Keyed by month, gateway and account. A gateway's total of an account's audio, in seconds; the latest record of a key
    replaces the earlier ones.
``glossaries``
    Keyed by room or tenant. The terms of its glossary (``captions.stored_glossary``); the latest record of a key
    replaces the earlier ones, and an empty value removes it.
``dead-letters``
    Records that could not be processed, unchanged, with the reason in the headers. People inspect them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from captions.audio import BYTES_PER_SAMPLE, Pcm, from_bytes, to_bytes
from captions.errors import RecordError
from captions.explain import explain
from captions.messages import RoomEvent, room_event
from captions.ports.log import Record
from captions.ports.tracer import NO_CONTEXT, Context
from captions.session import SessionSettings, read_settings, write_settings
from captions.track import RoomId, TrackId

AUDIO = "audio"
CAPTIONS = "captions"
PARTIALS = "partials"
USAGE = "usage"
GLOSSARIES = "glossaries"
DEAD_LETTERS = "dead-letters"

GATEWAY = "gateway"
"""Header of a track state: the gateway that wrote it."""
EPOCH = "epoch"
"""Header of a session's records: the offset of the claim of the gateway that wrote them."""
BEGAN = "began"
"""Header of a caption: the offset on topic ``audio`` at which its utterance began (``captions.deletion``)."""
STABLE = "stable"
"""Header of a partial: the list of its stable words."""
HEARD = "heard"
"""Header of a final: what its session's finals have said of its language (``captions.language_choice``)."""
_MOST_DIGITS = 19
"""Digits of an offset: a signed 64-bit integer."""
_MOST = 2**63 - 1
"""Of an offset or a number."""
_MOST_SAMPLES = 2**50
"""Of a position on a track: 2,000 years, so that all times of captions are dates."""
TRACE = ("traceparent", "tracestate", "baggage")
"""Headers that carry the context of a trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSegment:
    """About 200 ms of the speech of one utterance.

    ``utterance`` counts from 0 within the track, ``number`` from 0 within the utterance. ``start`` is the position of
    the first sample, in samples from the track's first sample. ``last`` marks the utterance's last segment. ``end`` is
    the position where the utterance's audio ends (None: with this segment); an utterance that grew too long is cut at
    its quietest point, which may be before the last sample sent. ``offset`` is how many bytes of the session's audio
    stream are safe once this record is stored. ``paused``: the speaker paused at the segment's end, so its last word is
    complete; older gateways do not write it. ``settings`` is set on the first segment only. ``trace`` is the context of
    the utterance's trace. ``epoch`` is the offset of the gateway's claim on the session (``captions.fencing``).
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
    """The progress of a session during silence: ``position`` in samples and ``offset`` in bytes.

    ``utterance`` is the number of the next utterance. ``over``: the session has ended. ``claim``: the gateway that
    writes the mark holds the session from here on; the offset of the mark is the ``epoch`` of its later records. The
    claim of a takeover ``supersedes`` the epoch of the gateway that held the session. Of the terms in ``settings``,
    only those that the publisher asked for are written.
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
    """Write an audio segment as a record."""
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
        headers["settings"] = write_settings(segment.settings)
    headers |= _epoch_header(segment.epoch) | trace_headers(segment.trace)
    return Record(segment.track.key, to_bytes(segment.pcm), headers)


def write_mark(mark: AudioMark) -> Record:
    """Write a mark as a record."""
    facts = {"utterance": mark.utterance, "mark": mark.position, "offset": mark.offset}
    headers = {name: str(value).encode() for name, value in facts.items()}
    # twice a second: the terms of the room, which any gateway knows, would be more than the audio
    headers["settings"] = write_settings(replace(mark.settings, vocabulary=mark.settings.asked))
    if mark.over:
        headers["over"] = b"1"
    if mark.claim:
        headers["claim"] = b"1"
    if mark.supersedes is not None:
        headers["supersedes"] = str(mark.supersedes).encode()
    headers |= _epoch_header(mark.epoch)
    return Record(mark.track.key, b"", headers)


def read_audio(record: Record) -> AudioSegment | AudioMark:
    """Read a record of topic ``audio``. Raises ``RecordError`` if it is neither a segment nor a mark."""
    track = TrackId.from_key(record.key)
    if len(record.value) % BYTES_PER_SAMPLE:
        raise RecordError(f"audio value of {len(record.value)} bytes is not PCM16")
    headers = record.headers
    if "mark" in headers:
        return AudioMark(
            track=track,
            utterance=_whole(headers, "utterance"),
            position=_whole(headers, "mark", _MOST_SAMPLES),
            offset=_whole(headers, "offset"),
            settings=read_settings(headers.get("settings", b"")),
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
        start=_whole(headers, "start", _MOST_SAMPLES),
        pcm=from_bytes(record.value),
        offset=_whole(headers, "offset"),
        last="last" in headers,
        end=_whole(headers, "end", _MOST_SAMPLES) if "end" in headers else None,
        paused="paused" in headers,
        settings=read_settings(headers["settings"]) if number == 0 else None,
        epoch=_epoch(headers),
        trace=trace_of(record),
    )


_words: TypeAdapter[list[str]] = TypeAdapter(list[str])


def _epoch_header(epoch: int | None) -> dict[str, bytes]:
    return {} if epoch is None else {EPOCH: str(epoch).encode()}


def _epoch(headers: Mapping[str, bytes]) -> int | None:
    return _whole(headers, EPOCH) if EPOCH in headers else None


def _whole(headers: Mapping[str, bytes], name: str, most: int = _MOST) -> int:
    try:
        value = int(headers[name])
    except (KeyError, ValueError) as error:
        raise RecordError(f"audio header {name!r} is missing or not a number") from error
    if value < 0:
        raise RecordError(f"audio header {name!r} is negative: {value}")
    if value > most:
        raise RecordError(f"audio header {name!r} is more than {most}")
    return value


def write_room_event(
    room: RoomId,
    message: RoomEvent,
    *,
    gateway: str | None = None,
    epoch: int | None = None,
    began: int | None = None,
    stable: Sequence[str] | None = None,
    heard: bytes | None = None,
    trace: Context = NO_CONTEXT,
) -> Record:
    """Write a caption or a track state as a record. The offset of the record becomes the event's ``seq``.

    ``gateway`` is the id of the gateway that announces a track state, and ``epoch`` the epoch of its session. A gateway
    that holds the track in an earlier epoch gives it up. ``began`` is the offset of a caption's first segment of audio.
    ``stable`` lists the stable words of a partial, so that a
    worker that takes over the utterance keeps them. ``heard`` is what the session's finals have said of its language,
    so that a worker that takes over the track decides as this one would. ``trace`` is the context of the trace.
    """
    headers = ({} if gateway is None else {GATEWAY: gateway.encode()}) | _epoch_header(epoch)
    if began is not None:
        headers[BEGAN] = str(began).encode()
    if stable is not None:
        headers[STABLE] = json.dumps(stable, ensure_ascii=False).encode()
    if heard is not None:
        headers[HEARD] = heard
    headers |= trace_headers(trace)
    return Record(room.key, message.model_copy(update={"seq": None}).encode().encode(), headers)


class Origin(NamedTuple):
    """The gateway that wrote a track state, and the epoch of its session. None means unknown."""

    gateway: str | None
    epoch: int | None


def origin_of(record: Record) -> Origin:
    """The gateway and epoch in the headers of a track state."""
    gateway, epoch = record.headers.get(GATEWAY), record.headers.get(EPOCH)
    return Origin(
        gateway.decode(errors="replace") if gateway is not None else None,
        offset_in(epoch),
    )


def began_of(record: Record) -> int | None:
    """The offset on topic ``audio`` at which a caption's utterance began; None if the caption does not say it."""
    return offset_in(record.headers.get(BEGAN))


def offset_in(header: bytes | None) -> int | None:
    """The offset that a header holds; None if it is missing, or no offset."""
    return int(header) if header is not None and header.isdigit() and len(header) <= _MOST_DIGITS else None


def stable_words(record: Record) -> list[str]:
    """The stable words of a partial. Raises ``RecordError`` if the header is missing or invalid."""
    try:
        return _words.validate_json(record.headers[STABLE])
    except (KeyError, ValueError) as error:
        raise RecordError(f"header {STABLE!r} cannot be read: {error}") from error


def heard_in(record: Record) -> bytes | None:
    """What a final says of its session's language, as ``Heard.write`` wrote it; None if it does not say it."""
    return record.headers.get(HEARD)


def trace_of(record: Record) -> Context:
    """The context of the trace in a record's headers. It is not validated; the tracer ignores an invalid one."""
    headers = record.headers
    return {name: headers[name].decode("ascii", errors="replace") for name in TRACE if name in headers}


def trace_headers(context: Context) -> dict[str, bytes]:
    """The context of a trace as record headers."""
    return {name: value.encode("ascii", errors="replace") for name, value in context.items()}


def read_room_event(record: Record) -> RoomEvent:
    """Read a caption or track state, without ``seq``. Raises ``RecordError`` if the record is neither."""
    try:
        return room_event(record.value)
    except ValidationError as error:
        raise RecordError(f"not a caption or a track state: {explain(error)}") from error
