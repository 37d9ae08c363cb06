"""Which sessions one gateway takes, and the refusals for tracks that are busy."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from captions.errors import NotFound, Overloaded, TooMany, TrackBusy
from captions.stream_options import StreamOptions
from captions.track import TrackId
from streamer.limits import Caller, Limits
from streamer.sessions.pending_finals import PendingFinals
from streamer.settings import GatewaySettings

LEASE = 6.0
"""Seconds after which a track is free if the log gets no record of its session. Gateways write one every 2 s."""

ANOTHER_CONNECTION = "another connection resumed this session"

FAILOVER = 2
"""How often over a gateway may have ``max_sessions`` and ``max_tracks`` with sessions that come from other gateways."""


class Admission:
    """Decides which sessions may begin or continue at a gateway, and keeps their places until they are held."""

    def __init__(
        self,
        held: Callable[[], Iterable[tuple[TrackId, Caller]]],
        pending: PendingFinals,
        limits: Limits,
        settings: GatewaySettings,
    ) -> None:
        self._held = held
        self._pending = pending
        self._limits = limits
        self._settings = settings
        self._entering: dict[TrackId, Caller] = {}

    @contextmanager
    def beginning(self, track: TrackId, caller: Caller) -> Iterator[None]:
        """Let a new session begin on ``track`` while the context lasts. A session that it replaces does not count.

        Raises ``TooMany``, ``Overloaded`` or ``QuotaExceeded``.
        """
        self.check(track)
        self._limits.check_quota(caller)
        with self._place(track, caller):
            yield

    @contextmanager
    def moving(self, track: TrackId, caller: Caller) -> Iterator[None]:
        """Let a session of another gateway continue here while the context lasts. Raises ``TooMany``.

        If a gateway fails, the others have to take more than they would begin. The quota and a lag stop no session.
        """
        self._check_room_for(track, FAILOVER)
        with self._place(track, caller):
            yield

    def check(self, track: TrackId) -> None:
        """Check that the gateway can take a new session on ``track``. Raises ``TooMany`` or ``Overloaded``."""
        self._check_room_for(track, 1)
        if (wait := self._pending.longest_wait()) > self._settings.overload_after:
            raise Overloaded(f"captions are {wait:.0f} s behind; try again later", retry_after=round(wait))

    def _check_room_for(self, track: TrackId, times: int) -> None:
        tracks = self._callers.keys() - {track}
        if len(tracks) >= (most := self._settings.max_sessions * times):
            raise TooMany(f"{most} sessions are open, which is this server's limit; try again later")
        if sum(other.room == track.room for other in tracks) >= (most := self._settings.max_tracks * times):
            raise TooMany(f"room {track.room.name} has {most} tracks, which is a room's limit; try again later")

    @property
    def _callers(self) -> dict[TrackId, Caller]:
        """Who each track that has a session here, or is about to get one, counts for."""
        return dict(self._held()) | self._entering

    @contextmanager
    def _place(self, track: TrackId, caller: Caller) -> Iterator[None]:
        """Count the track for ``caller``, so that of many who come at once no more get in than may."""
        self._limits.check_session(caller, track, self._callers.items())
        self._entering[track] = caller
        try:
            yield
        finally:
            del self._entering[track]


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
