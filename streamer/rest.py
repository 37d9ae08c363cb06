"""The rooms over plain HTTP: who is live, and transcripts."""

from typing import Literal

from pydantic import BaseModel
from starlette.responses import Response

from captions.errors import BadRequest, NotFound
from captions.export import as_json, as_srt, as_text, as_vtt
from captions.messages import CaptionMessage, TrackState
from streamer.gateway import Gateway

Format = Literal["json", "txt", "srt", "vtt"]

_FORMATS = {
    "json": (as_json, "application/json"),
    "txt": (as_text, "text/plain; charset=utf-8"),
    "srt": (as_srt, "application/x-subrip; charset=utf-8"),
    "vtt": (as_vtt, "text/vtt; charset=utf-8"),
}


class TrackSummary(BaseModel):
    """A track of a live room; ``seconds`` of audio were heard in its session."""

    track: str
    speaker: str | None
    state: TrackState
    seconds: float


class RoomSummary(BaseModel):
    """A room in which somebody speaks or is expected back."""

    room: str
    tracks: list[TrackSummary]
    viewers: int
    seconds: float


def live_rooms(gateway: Gateway) -> list[RoomSummary]:
    """The rooms with a session at this gateway."""
    tracks: dict[str, list[TrackSummary]] = {}
    for held in gateway.sessions.held:
        session = held.session
        summary = TrackSummary(
            track=session.place.track,
            speaker=session.settings.speaker,
            state="live" if held.connection is not None else "away",
            seconds=session.seconds,
        )
        tracks.setdefault(session.place.room, []).append(summary)
    rooms = []
    for name, summaries in sorted(tracks.items()):
        room = gateway.hub.known(name)
        viewers = len(room.audience) if room is not None else 0
        seconds = round(sum(track.seconds for track in summaries), 3)
        rooms.append(RoomSummary(room=name, tracks=summaries, viewers=viewers, seconds=seconds))
    return rooms


async def transcript(gateway: Gateway, name: str, form: str) -> Response:
    """The finals so far. Raises ``NotFound`` for a room nobody has spoken in, ``BadRequest`` for an unknown format."""
    if form not in _FORMATS:
        raise BadRequest(f"format: {form!r} is none of json, txt, srt, vtt")
    room = await gateway.hub.open(name)
    if not room.state.tracks and not room.state.finals:
        raise NotFound(f"nobody has spoken in room {name}")
    write, media_type = _FORMATS[form]
    captions: list[CaptionMessage] = room.state.transcript()
    return Response(write(captions), media_type=media_type)
