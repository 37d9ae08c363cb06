"""The terms to expect in one session, as they are now."""

import structlog

from captions.ports.room_directory import RoomDirectory
from captions.session import fitting
from captions.terms import Term, merged
from captions.track import TrackId

logger = structlog.get_logger(__name__)


class SessionTerms:
    """The terms that the publisher asked for, and then those of its room, as many as fit."""

    def __init__(self, asked: tuple[Term, ...], rooms: RoomDirectory, track: TrackId) -> None:
        self._asked = asked
        self._rooms = rooms
        self._track = track
        self._of_room: tuple[Term, ...] | None = None
        self._now: tuple[Term, ...] = ()

    async def now(self) -> tuple[Term, ...]:
        """The terms for an utterance that begins now. While nothing changes, it is the same object."""
        of_room = (await self._rooms.settings_of(self._track.room)).vocabulary
        if of_room is not self._of_room:
            wanted = merged(self._asked, of_room)
            self._now, self._of_room = fitting(wanted), of_room
            if left_out := len(wanted) - len(self._now):
                logger.warning("terms_left_out", number=left_out, kept=len(self._now), **self._track.describe())
        return self._now
