"""The sessions that this gateway holds, with their connections, by id and by track."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from captions.errors import Refusal
from captions.track import TrackId
from streamer.limits import Caller
from streamer.sessions.feed import Feed
from streamer.sessions.session import Session


@dataclass
class Held:
    """A session and the connection that feeds it. Without a connection the session ends when ``expiry`` fires."""

    session: Session
    feed: Feed | None = None
    expiry: asyncio.TimerHandle | None = None

    def dismiss(self, reason: Refusal) -> None:
        """Make the session's connection, if there is one, release the session."""
        if self.feed is not None:
            self.feed.dismiss(reason)

    def cancel_expiry(self) -> None:
        """Keep the session although it was to end."""
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None

    @property
    def expires_in(self) -> float | None:
        """Seconds until the session ends; None while a connection feeds it."""
        return None if self.expiry is None else self.expiry.when() - asyncio.get_running_loop().time()


class HeldSessions:
    """Held sessions by id. Each track has at most one."""

    def __init__(self) -> None:
        self._by_id: dict[str, Held] = {}
        self._by_track: dict[TrackId, Held] = {}

    @property
    def all(self) -> list[Held]:
        """All held sessions, with and without a connection."""
        return list(self._by_id.values())

    def callers(self) -> Iterator[tuple[TrackId, Caller]]:
        """The tracks that have a session here, each with the caller that its session counts for."""
        return ((track, held.session.meter.caller) for track, held in self._by_track.items())

    def get(self, session: str) -> Held | None:
        """The session with this id, if it is held here."""
        return self._by_id.get(session)

    def on(self, track: TrackId) -> Held | None:
        """The session of this track, if one is held here."""
        return self._by_track.get(track)

    def add(self, session: Session, feed: Feed) -> None:
        """Hold a session, fed by this connection. Raises ``RuntimeError`` if the track has one already."""
        if session.track in self._by_track:
            raise RuntimeError(f"track {session.track.key} has a session already")
        self._by_id[session.id] = self._by_track[session.track] = Held(session, feed)

    def remove(self, held: Held) -> None:
        """Stop holding a session; its track is free."""
        held.cancel_expiry()
        self._by_id.pop(held.session.id, None)
        self._by_track.pop(held.session.track, None)
