"""The gateway: everything that one process offers to publishers and viewers, without the HTTP around it."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from captions.caption import CaptionId
from captions.errors import ShuttingDown, TooMany
from captions.messages import CaptionMessage, RoomEvent, TrackMessage
from captions.ports.authenticator import Authenticator, OpenAccess
from captions.ports.clock import Clock
from captions.ports.detector import SpeechDetector
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.tracer import NO_TRACES, Tracer
from captions.track import TrackId
from streamer.rooms.hub import Hub
from streamer.rooms.turns import Turns
from streamer.rooms.viewer import Viewer
from streamer.sessions.pending import Pending
from streamer.sessions.registry import Sessions
from streamer.sessions.session import Session
from streamer.settings import GatewaySettings
from streamer.web.query import ViewQuery

logger = structlog.get_logger(__name__)


class Gateway:
    """Publishers' sessions and viewers' rooms on one log."""

    def __init__(
        self,
        log: Log,
        clock: Clock,
        probe: Probe,
        detector: Callable[[], SpeechDetector],
        settings: GatewaySettings,
        *,
        tracer: Tracer = NO_TRACES,
        authenticator: Authenticator | None = None,
    ) -> None:
        self.log = log
        self.clock = clock
        self.probe = probe
        self.settings = settings
        self.authenticator = authenticator or OpenAccess()
        self.pending = Pending(clock)
        self.hub = Hub(log, self._heard, tracer, settings.history_bytes)
        self.sessions = Sessions(
            log=log,
            clock=clock,
            probe=probe,
            tracer=tracer,
            hub=self.hub,
            pending=self.pending,
            detector=detector,
            settings=settings,
        )
        self.viewers = 0
        self.turns = Turns()
        self.draining = asyncio.Event()
        self.drained = asyncio.Event()

    def _heard(self, track: TrackId, event: RoomEvent, gateway: str | None) -> None:
        if isinstance(event, TrackMessage):
            self.sessions.hear(track, event, gateway)
        if isinstance(event, CaptionMessage) and event.final:
            self.pending.final(CaptionId(track, event.utterance))

    def not_ready(self) -> list[str]:
        """Why nobody is taken in."""
        return ["stopping"] if self.draining.is_set() else []

    def observe(self) -> None:
        """Tell the probe what goes on growing while nothing happens."""
        self.probe.finals_awaited(self.pending.count, self.pending.longest_wait())

    def admit(self) -> None:
        """Let a new client in, or raise ``ShuttingDown``."""
        if self.draining.is_set():
            raise ShuttingDown

    def admit_viewer(self) -> None:
        """Let a new viewer in, or raise ``ShuttingDown`` or ``TooMany``."""
        self.admit()
        if self.viewers >= self.settings.max_viewers:
            raise TooMany(
                f"{self.settings.max_viewers} viewers are here, which is this server's limit; try again later"
            )

    def viewer(self, query: ViewQuery, wake: asyncio.Event | None = None) -> Viewer:
        """A queue for one viewer."""
        return Viewer(
            backlog=self.settings.viewer_backlog,
            probe=self.probe,
            tracks=query.track,
            partials=query.partials,
            wake=wake,
        )

    async def drain(self, deadline: float, *, elsewhere: bool) -> None:
        """Refuse new clients and let all go within ``deadline`` seconds.

        ``elsewhere``: other gateways read this log, so that sessions go on there, in the middle of an utterance too.
        What cannot is ended, and its captions are waited for.
        """
        self.draining.set()
        self.probe.draining()
        self.sessions.draining = True
        try:
            async with asyncio.timeout(deadline):
                await asyncio.gather(
                    *(
                        held.session.move() if elsewhere and held.session.movable else self._finish(held.session)
                        for held in self.sessions.held
                    )
                )
                if not elsewhere:
                    await self.pending.all_settled()
        except TimeoutError:
            logger.warning("drain_deadline_passed", deadline=deadline)
        self.drained.set()
        for room in self.hub.rooms:
            for viewer in room.audience:
                viewer.end(ShuttingDown())

    async def _finish(self, session: Session) -> None:
        await session.finish()
        await session.finished.wait()
        await self.pending.settled(session.track)

    async def close(self) -> None:
        """Free everything; clients should be gone by now."""
        with contextlib.suppress(asyncio.CancelledError):
            await self.sessions.close()
        await self.hub.close()
