"""Limits on new sessions at one gateway, and the refusals for tracks that are busy."""

import math
from collections.abc import Collection

from captions.errors import NotFound, Overloaded, TooMany, TrackBusy
from captions.stream_options import StreamOptions
from captions.track import RoomId, TrackId
from streamer.sessions.pending_finals import PendingFinals
from streamer.settings import GatewaySettings

LEASE = 6.0
"""Seconds after which a track is free if the log gets no record of its session. Gateways write one every 2 s."""

ANOTHER_CONNECTION = "another connection resumed this session"


def check_limits(tracks: Collection[TrackId], room: RoomId, pending: PendingFinals, settings: GatewaySettings) -> None:
    """Check that ``room`` may get a session beside those of ``tracks``. Raises ``TooMany`` or ``Overloaded``."""
    if len(tracks) >= settings.max_sessions:
        raise TooMany(f"{settings.max_sessions} sessions are open, which is this server's limit; try again later")
    if sum(track.room == room for track in tracks) >= settings.max_tracks:
        raise TooMany(f"room {room.name} has {settings.max_tracks} tracks, which is a room's limit; try again later")
    if (wait := pending.longest_wait()) > settings.overload_after:
        raise Overloaded(f"captions are {wait:.0f} s behind; try again later", retry_after=round(wait))


def busy(track: TrackId, free_in: float | None) -> TrackBusy:
    """The refusal for a track that has a session here.

    ``free_in`` is the time in seconds until the session ends; None while its publisher is connected.
    """
    if free_in is None:
        return TrackBusy(
            f"track {track.name} has a publisher; resume its session, take another track, "
            "or take this one over with takeover=true"
        )
    left = max(1, math.ceil(free_in))
    return TrackBusy(
        f"track {track.name} has a publisher whose connection was lost; resume its session, "
        f"try again in {left} s, or take the track over with takeover=true",
        retry_after=left,
    )


def busy_elsewhere(track: TrackId) -> TrackBusy:
    """The refusal for a track that has a session at another gateway."""
    return TrackBusy(
        f"track {track.name} has a publisher at another gateway; resume its session, try again later, "
        "take another track, or take this one over with takeover=true",
        retry_after=LEASE,
    )


def not_found(track: TrackId, options: StreamOptions) -> NotFound:
    """The refusal of a session that cannot be resumed."""
    return NotFound(f"no session {options.session} on track {track.name} to resume; begin a new one")
