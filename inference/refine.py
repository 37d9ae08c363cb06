"""The second pass: finished speech is decoded again in long windows, and captions whose text changes are replaced.

It is a consumer group of its own on topic ``audio``. It holds nothing back: work that is late is given up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from operator import itemgetter

import structlog

from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.records import AUDIO
from captions.track import TrackId
from inference.decoders import Decoders
from inference.intake import Intake
from inference.refine_tracks import Track, Window, by_track
from inference.second_pass import MARGIN, RefineSettings, SecondPass, at_once
from inference.settings import WorkerSettings
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)

REFINE_GROUP = "refine"

RETRY = 1.0
"""Seconds until a window is tried again whose utterances have no finals yet."""


class Refiner:
    """A member of consumer group ``refine`` on topic ``audio`` that publishes captions of pass ``refined``.

    Before each decode it waits for ``spare_time``. ``run`` goes on until it is cancelled; what was not done then is
    done by the next owner of its partition.
    """

    def __init__(
        self,
        log: Log,
        decoders: Decoders,
        *,
        clock: Clock,
        probe: Probe,
        settings: WorkerSettings,
        refine: RefineSettings,
        spare_time: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        self._log = log
        self._clock = clock
        self._probe = probe
        self._settings = settings
        self._refine = refine
        self._windows = refine.fitting
        self._second_pass = SecondPass(
            log, decoders, clock=clock, probe=probe, settings=settings, refine=refine, spare_time=spare_time
        )
        self._intake: Intake | None = None
        self._tracks: dict[TrackId, Track] = {}
        self._due = asyncio.Event()
        self._warned = False

    @property
    def joined(self) -> bool:
        """Whether it is a member of its group now, and the group has answered."""
        return self._intake is not None and self._intake.joined

    async def run(self) -> None:
        """Work until cancelled. Raises ``LogError`` and ``SetupError``, also in groups, where the log fails."""
        async with self._log.join(AUDIO, REFINE_GROUP) as member:
            # the metrics of partitions are those of group live
            self._intake = intake = Intake(self._log, member, self._clock, Probe(), self._settings, live=False)
            self._tracks.clear()
            try:
                async with asyncio.TaskGroup() as tasks:
                    intake.start(tasks)
                    tasks.create_task(self._collect(intake), name="refine collects")
                    for number in range(self._refine.decoders):
                        tasks.create_task(self._work(intake), name=f"refine decodes {number}")
            finally:
                intake.close()
                self._tracks.clear()
                self._report()

    async def _collect(self, intake: Intake) -> None:
        """Put utterances that ended into windows, end windows that are due, and give up what is late."""
        while True:
            self._see(intake)
            await self._end_quiet_ones(intake)
            self._give_up(intake.excess)
            self._tracks = {of: track for of, track in self._tracks.items() if not track.idle}
            self._report()
            self._due.set()
            await intake.changed()

    def _see(self, intake: Intake) -> None:
        """Take what ended, and forget the tracks of partitions that are no longer owned."""
        utterances = intake.utterances
        owned = {p: tenure for p in utterances.partitions if (tenure := utterances.tenure(p)) is not None}
        numbers = {tenure.number for tenure in owned.values()}
        self._tracks = {of: track for of, track in self._tracks.items() if track.tenure.number in numbers}
        for of, heard in by_track(utterances).items():
            track = self._tracks.get(of)
            if track is None:
                track = Track(heard[0].partition, owned[heard[0].partition], self._windows, self._finish)
                self._tracks[of] = track
            track.see(heard)

    def _finish(self, utterance: Utterance) -> None:
        if self._intake is not None:
            self._intake.finish(utterance, utterance.version)

    async def _end_quiet_ones(self, intake: Intake) -> None:
        """End the windows, and the stretches, of tracks that have been quiet for long enough."""
        wall = self._clock.wall()
        quiet = [track for track in self._tracks.values() if track.quiet(wall - MARGIN)]
        partitions = {track.partition for track in quiet}
        read = {partition for partition in partitions if await intake.has_read_all(partition)}
        self._see(intake)
        for track in self._tracks.values():
            if track in quiet and track.partition in read:
                track.rest(wall - MARGIN)

    def _give_up(self, excess: float) -> None:
        """Give up what is late, and the oldest speech besides until ``excess`` seconds of audio are let go."""
        waiting = [window for track in self._tracks.values() for window in track.waiting if not window.busy]
        for window in waiting:
            if not window.given_up and self._second_pass.is_late(window):
                excess -= sum(utterance.held for utterance in window.utterances)
                window.give_up()
        if excess > 0:
            self._shed(waiting, excess)
        for track in self._tracks.values():
            for window in [window for window in track.ready if window.given_up]:
                self._count(window)
                track.done(window)

    def _shed(self, waiting: Sequence[Window], excess: float) -> None:
        """Let go of so many seconds of audio, the oldest first: no more is read before."""
        growing = [track.growing for track in self._tracks.values() if track.growing is not None]
        held = [(window.waits_since, window.utterances, window.give_up) for window in waiting if not window.given_up]
        held += [(utterance.opened, [utterance], utterance.drop) for utterance in growing]
        for _, utterances, let_go in sorted(held, key=itemgetter(0)):
            if excess <= 0:
                return
            excess -= sum(utterance.held for utterance in utterances)
            let_go()

    def _count(self, window: Window) -> None:
        seconds = window.seconds
        self._probe.refine_skipped(seconds)
        if not self._warned:
            self._warned = True
            logger.warning("refine_is_behind", within=self._refine.within, skipped=round(seconds, 1))

    def _report(self) -> None:
        """Report how long the oldest speech waits."""
        waiting = [window for track in self._tracks.values() for window in track.waiting]
        since = [window.waits_since for window in waiting if not window.given_up]
        self._probe.refine_behind(max(0.0, self._clock.wall() - min(since)) if since else 0.0)

    async def _work(self, intake: Intake) -> None:
        while True:
            found = self._next()
            if found is None:
                self._due.clear()
                await self._due.wait()
                continue
            track, window = found
            window.busy = True
            if await self._second_pass.do(window):
                track.done(window)
                await intake.commit({track.partition})
            else:
                window.retry_at = self._clock.wall() + RETRY
            window.busy = False

    def _next(self) -> tuple[Track, Window] | None:
        """The first window of the track that waits longest; a track's windows are done in order."""
        wall = self._clock.wall()
        first = [(track, track.ready[0]) for track in self._tracks.values() if track.ready]
        due = [
            (track, window)
            for track, window in first
            if not (window.busy or window.given_up) and window.retry_at <= wall
        ]
        return min(due, key=lambda found: found[1].waits_since, default=None)
