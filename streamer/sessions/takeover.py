"""Takes sessions over from other gateways, with the progress that the log has of them."""

from typing import NamedTuple

from captions.errors import NotFound
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.records import AUDIO, write_mark
from captions.stream_options import Encoding, StreamOptions
from captions.track import TrackId
from streamer.sessions.admission import LEASE, busy_elsewhere, not_found
from streamer.sessions.announcer import Announcer
from streamer.sessions.journal import Progress, progress_of
from streamer.settings import GatewaySettings


class Claimed(NamedTuple):
    """A session that this gateway holds from log offset ``epoch`` on, and its progress up to there."""

    options: StreamOptions
    progress: Progress
    epoch: int


class Takeover:
    """Takes over sessions that other gateways hold, or held until they died."""

    def __init__(self, log: Log, clock: Clock, announcer: Announcer, settings: GatewaySettings) -> None:
        self._log = log
        self._announcer = announcer
        self._clock = clock
        self._settings = settings

    async def progress(self, track: TrackId, end: int | None = None) -> Progress | None:
        """The progress of the track's last session, up to log offset ``end`` or up to now. Raises ``LogError``."""
        settings = self._settings
        longest_silence = settings.resume_window + settings.segmenter.longest + LEASE
        return await progress_of(self._log, track, self._clock.wall() - longest_silence, end)

    async def held_by(self, track: TrackId) -> str | None:
        """The id of the session that any gateway holds on the track; None if the track is free. Raises ``LogError``."""
        progress = await self.progress(track)
        return progress.settings.session if progress is not None and self.holds(progress) else None

    def holds(self, progress: Progress) -> bool:
        """Whether a gateway holds the session, according to the log."""
        return not progress.over and self._clock.wall() - progress.last_at < LEASE

    async def claim(self, track: TrackId, options: StreamOptions) -> Claimed:
        """Claim the session that ``options`` name, and read its progress.

        Records that its old gateway writes after the claim are ignored, so there is no need to wait for that gateway.
        Raises ``NotFound`` if the log does not know the session. Raises it for a container too, and ends its session,
        because a container cannot be decoded from the middle.
        """
        unknown = not_found(track, options)
        progress = await self.progress(track)
        if progress is None or progress.settings.session != options.session or progress.over:
            raise unknown
        if self._clock.wall() - progress.last_at > self._settings.resume_window:
            raise unknown
        options = options.resuming(progress.settings)
        epoch = await self._log.append(AUDIO, write_mark(progress.claim(track)))
        try:
            progress = await self.progress(track, epoch + 1) or progress
        except BaseException:  # its gateway may have lost the session all the same, and has to know
            await self.release(track, progress, epoch)
            raise
        if progress.over or progress.settings.session != options.session:  # it ended just before the claim
            raise unknown
        if progress.epoch != epoch:  # another gateway's claim came first
            raise busy_elsewhere(track)
        if options.format.encoding is Encoding.CONTAINER:
            await self._log.append(AUDIO, write_mark(progress.last_mark(track)))
            await self.release(track, progress, epoch)
            raise NotFound("another gateway cannot continue a container from its middle; begin a new session")
        return Claimed(options, progress, epoch)

    async def release(self, track: TrackId, progress: Progress, epoch: int) -> None:
        """Tell the gateway that held the session that it lost it, although nobody continues it yet."""
        await self._announcer.try_to_announce_track(track, progress.settings.speaker, "away", epoch)
