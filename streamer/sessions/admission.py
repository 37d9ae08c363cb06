"""Who may begin a session: the limits of one gateway, and what is said where a track is not free."""

import math
from collections.abc import Collection

from captions.errors import Overloaded, TooMany, TrackBusy
from captions.track import RoomId, TrackId
from streamer.sessions.pending_finals import PendingFinals
from streamer.settings import GatewaySettings

LEASE = 6.0
"""Seconds without a record of its session after which a track is free; a gateway writes one every 2 s."""

ANOTHER_CONNECTION = "another connection resumed this session"


def check_limits(tracks: Collection[TrackId], room: RoomId, pending: PendingFinals, settings: GatewaySettings) -> None:
    """Let a new session into ``room`` beside those of ``tracks``, or raise ``TooMany`` or ``Overloaded``."""
    if len(tracks) >= settings.max_sessions:
        raise TooMany(f"{settings.max_sessions} sessions are open, which is this server's limit; try again later")
    if sum(track.room == room for track in tracks) >= settings.max_tracks:
        raise TooMany(f"room {room.name} has {settings.max_tracks} tracks, which is a room's limit; try again later")
    if (wait := pending.longest_wait()) > settings.overload_after:
        raise Overloaded(f"captions are {wait:.0f} s behind; try again later", retry_after=round(wait))


def busy(track: TrackId, free_in: float | None) -> TrackBusy:
    """Why the track is not free; ``free_in`` are the seconds until it is, None while its publisher is connected."""
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
    """Why a track is not free that another gateway holds."""
    return TrackBusy(
        f"track {track.name} has a publisher at another gateway; resume its session, try again later, "
        "take another track, or take this one over with takeover=true",
        retry_after=LEASE,
    )
