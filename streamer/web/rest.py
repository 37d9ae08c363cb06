"""Rooms over plain HTTP: the list of live rooms, and transcripts."""

from datetime import UTC, datetime

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from captions.access import Principal
from captions.errors import NotFound
from captions.messages import CaptionMessage, TrackMessage, TrackState, in_utc
from captions.track import RoomId, TrackId
from streamer.gateway import Gateway
from streamer.rooms.transcripts import Format, Selection
from streamer.sessions.admission import LEASE
from streamer.sessions.journal import held_since
from streamer.web.disconnection import while_connected
from streamer.web.download import Download
from streamer.web.openapi import Responses
from streamer.web.query import TranscriptQuery

_MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


class Transcript(BaseModel):
    """A transcript in format ``json``."""

    captions: list[CaptionMessage]


TRANSCRIPTS: Responses = {
    200: {
        "model": Transcript,
        "description": "The finals in the order they were spoken, in the format that was asked for.",
        "content": {
            media_type.partition(";")[0]: {} if name == "json" else {"schema": {"type": "string"}}
            for name, media_type in _MEDIA_TYPES.items()
        },
    }
}


class TrackSummary(BaseModel):
    """A track of a live room.

    ``seconds`` is the duration of its session's audio so far; None if another gateway holds the session.
    """

    track: str
    speaker: str | None
    state: TrackState
    seconds: float | None


class RoomSummary(BaseModel):
    """A room with at least one live or away track. ``viewers`` and ``seconds`` count only those at this gateway.

    ``tenant`` is None for rooms without a tenant.
    """

    room: str
    tenant: str | None
    tracks: list[TrackSummary]
    viewers: int
    seconds: float


async def live_rooms(gateway: Gateway, principal: Principal) -> list[RoomSummary]:
    """The principal's rooms with a session here, and those among the rooms read here with one elsewhere.

    Raises ``LogError``.
    """
    tracks: dict[RoomId, list[TrackSummary]] = {}
    for held in gateway.sessions.held:
        session = held.session
        summary = TrackSummary(
            track=session.track.name,
            speaker=session.settings.speaker,
            state="live" if held.feed is not None else "away",
            seconds=session.seconds,
        )
        tracks.setdefault(session.track.room, []).append(summary)
    here = {held.session.track for held in gateway.sessions.held}
    for track, state in (await _held_elsewhere(gateway, here)).items():
        summary = TrackSummary(track=track.name, speaker=state.speaker, state=state.state, seconds=None)
        tracks.setdefault(track.room, []).append(summary)
    rooms = []
    for room_id, summaries in sorted(tracks.items(), key=lambda item: item[0].key):
        if not principal.covers(room_id):
            continue
        room = gateway.hub.known(room_id)
        viewers = len(room.audience) if room is not None else 0
        seconds = round(sum(track.seconds or 0.0 for track in summaries), 3)
        rooms.append(
            RoomSummary(room=room_id.name, tenant=room_id.tenant, tracks=summaries, viewers=viewers, seconds=seconds)
        )
    return rooms


async def _held_elsewhere(gateway: Gateway, here: set[TrackId]) -> dict[TrackId, TrackMessage]:
    """The tracks that other gateways hold.

    The announced states alone do not tell it: a gateway that died leaves them behind. The log has recent records only
    of tracks that are held.
    """
    announced = {
        TrackId(room.id, state.track): state
        for room in gateway.hub.rooms
        for state in room.state.tracks
        if state.state != "ended" and TrackId(room.id, state.track) not in here
    }
    held = await held_since(gateway.log, announced, gateway.clock.wall() - LEASE) if announced else set()
    return {track: state for track, state in announced.items() if track in held}


class DeletedRoom(BaseModel):
    """The answer to a deletion. ``hidden``: nobody can read what was said before ``deleted_at``.

    ``gone_by`` is when the last of its bytes are gone from the log; None if the log keeps them without a limit.
    """

    room: str
    tenant: str | None
    deleted_at: str
    hidden: bool
    gone_by: str | None


DELETED: Responses = {202: {"model": DeletedRoom}}


async def delete_room(gateway: Gateway, room: RoomId) -> JSONResponse:
    """Delete what was said in the room: 200 if all bytes are gone, otherwise 202.

    Raises ``NotFound`` if nothing is known of the room, and ``LogError``.
    """
    receipt = await gateway.deleter.delete(room)
    gone_by = None if receipt.gone_by is None else _in_utc(receipt.gone_by)
    answer = DeletedRoom(
        room=room.name, tenant=room.tenant, deleted_at=_in_utc(receipt.deleted_at), hidden=True, gone_by=gone_by
    )
    return JSONResponse(answer.model_dump(mode="json"), 200 if receipt.gone_by == receipt.deleted_at else 202)


def _in_utc(wall: float) -> str:
    return in_utc(datetime.fromtimestamp(wall, UTC))


async def transcript(request: Request, gateway: Gateway, room_id: RoomId, query: TranscriptQuery) -> Response:
    """The finals so far, in the order in which they were spoken.

    Raises ``NotFound`` if the room has no captions, ``TooMany`` and ``Disconnected``.
    """
    wanted = Selection(query.format, query.before, query.last)
    while True:
        room = await gateway.hub.open(room_id)
        if not room.history.blocks:
            raise NotFound(f"nobody has spoken in room {room_id.name}")
        deleted_to = room.deleted_to
        content = await while_connected(request, gateway.exports.transcript(room, wanted))
        if gateway.hub.room(room_id).deleted_to == deleted_to:
            return Download(content, _MEDIA_TYPES[query.format], gateway.settings.send_timeout)
