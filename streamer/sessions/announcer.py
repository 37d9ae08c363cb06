"""Announces track states to viewers and to other gateways."""

import structlog

from captions.errors import LogError
from captions.messages import TrackMessage, TrackState
from captions.ports.log import Log
from captions.records import CAPTIONS, write_room_event
from captions.track import TrackId
from streamer.sessions.session import Session

logger = structlog.get_logger(__name__)


class Announcer:
    """Writes track states to the log. ``gateway`` is this gateway's id."""

    def __init__(self, log: Log, gateway: str) -> None:
        self._log = log
        self.gateway = gateway

    async def announce(self, session: Session, state: TrackState) -> None:
        """Announce the state of the session's track. Raises ``LogError``."""
        await self.announce_track(session.track, session.settings.speaker, state, session.recorder.epoch)

    async def announce_track(self, track: TrackId, speaker: str | None, state: TrackState, epoch: int | None) -> None:
        """Announce the state of a track; ``epoch`` is that of its session. Raises ``LogError``."""
        message = TrackMessage(room=track.room.name, track=track.name, speaker=speaker, state=state)
        await self._log.append(CAPTIONS, write_room_event(track.room, message, gateway=self.gateway, epoch=epoch))

    async def try_to_announce(self, session: Session, state: TrackState) -> None:
        """Announce the state. A failure is logged and otherwise ignored."""
        await self.try_to_announce_track(session.track, session.settings.speaker, state, session.recorder.epoch)

    async def try_to_announce_track(
        self, track: TrackId, speaker: str | None, state: TrackState, epoch: int | None
    ) -> None:
        """Announce the state of a track. A failure is logged and otherwise ignored."""
        try:
            await self.announce_track(track, speaker, state, epoch)
        except LogError:
            logger.exception("track_state_not_announced", **track.describe(), state=state)
