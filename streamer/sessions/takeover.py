"""What the log knows of a track's sessions, and how this gateway takes one over from another."""

from typing import NamedTuple

from captions.errors import NotFound
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.records import AUDIO, write_mark
from captions.stream_options import Encoding, StreamOptions
from captions.track import TrackId
from streamer.sessions.admission import LEASE
from streamer.sessions.announcer import Announcer
from streamer.sessions.journal import Progress, progress_of
from streamer.settings import GatewaySettings


class Claimed(NamedTuple):
    """A session that is this gateway's from log offset ``epoch`` on, as far as it had come by then."""

    options: StreamOptions
    progress: Progress
    epoch: int


class Takeover:
    """Takes sessions over that other gateways hold, or held until they died."""

    def __init__(self, log: Log, clock: Clock, announcer: Announcer, settings: GatewaySettings) -> None:
        self._log = log
        self._announcer = announcer
        self._clock = clock
        self._settings = settings

    async def progress(self, track: TrackId, end: int | None = None) -> Progress | None:
        """How far the track's last session has come, before log offset ``end`` or up to now. Raises ``LogError``."""
        settings = self._settings
        longest_silence = settings.resume_window + settings.segmenter.longest + LEASE
        return await progress_of(self._log, track, self._clock.wall() - longest_silence, end)

    async def held_by(self, track: TrackId) -> str | None:
        """The session that some gateway holds the track for; None where it is free. Raises ``LogError``."""
        progress = await self.progress(track)
        return progress.settings.session if progress is not None and self.holds(progress) else None

    def holds(self, progress: Progress) -> bool:
        """Whether a gateway holds the session, as far as the log tells."""
        return not progress.over and self._clock.wall() - progress.last_at < LEASE

    async def claim(self, track: TrackId, options: StreamOptions) -> Claimed:
        """Claim the session that ``options`` name, and read how far it had come.

        What its gateway writes after the claim does not count, so there is nothing to wait for. Raises ``NotFound``
        where the log does not know the session, and for a container, whose session is ended: nobody can go on with it.
        """
        unknown = NotFound(f"no session {options.session} on track {track.name} to resume; begin a new one")
        progress = await self.progress(track)
        if progress is None or progress.settings.session != options.session or progress.over:
            raise unknown
        if self._clock.wall() - progress.last_at > self._settings.resume_window:
            raise unknown
        options = options.resuming(progress.settings)
        epoch = await self._log.append(AUDIO, write_mark(progress.claim(track)))
        progress = await self.progress(track, epoch) or progress
        if progress.over or progress.settings.session != options.session:  # it ended just before the claim
            raise unknown
        if options.format.encoding is Encoding.CONTAINER:
            await self._log.append(AUDIO, write_mark(progress.last_mark(track)))
            await self._announcer.announce_track(track, progress.settings.speaker, "ended", epoch)
            raise NotFound("a container cannot be taken up in its middle by another gateway; begin a new session")
        return Claimed(options, progress, epoch)
