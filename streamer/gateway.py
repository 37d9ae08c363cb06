"""The gateway: everything that one process offers to publishers and viewers, independent of HTTP."""

import asyncio
import contextlib
from collections.abc import Callable, Collection

import structlog

from captions.caption import CaptionId
from captions.errors import ShuttingDown, TooMany
from captions.messages import CaptionMessage, RoomEvent, TrackMessage
from captions.ports.audit import NO_AUDIT, Audit
from captions.ports.authenticator import Authenticator, OpenAccess
from captions.ports.clock import Clock
from captions.ports.detector import SpeechDetector
from captions.ports.glossaries import Glossaries
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.room_directory import NoRoomDirectory, RoomDirectory
from captions.ports.token_signer import TokenSigner
from captions.ports.tracer import NO_TRACES, Tracer
from captions.ports.usage import UsageLedger
from captions.records import Origin
from captions.stream_options import StreamOptions
from captions.track import RoomId, TrackId
from streamer.audio.processes import DecoderProcesses
from streamer.clients import Clients
from streamer.glossaries import GlossariesHere
from streamer.limits import Caller, Limits
from streamer.proposals import Proposals
from streamer.room_terms import RoomsWithTerms
from streamer.rooms.deleter import Deleter
from streamer.rooms.exports import Exports
from streamer.rooms.history_turns import HistoryTurns
from streamer.rooms.hub import Hub
from streamer.rooms.viewer import Viewer
from streamer.sessions.feed import Feed
from streamer.sessions.pending_finals import PendingFinals
from streamer.sessions.publication import Publication, PublicationContext
from streamer.sessions.registry import Sessions
from streamer.settings import GatewaySettings
from streamer.usage import Usage

logger = structlog.get_logger(__name__)


class Gateway:
    """Publishers' sessions and viewers' rooms on one log.

    ``detector`` creates the speech detector of one stream. ``signer`` makes short-lived tokens; None if
    this server has no secret to sign with. ``processes`` decode containers. ``usage`` counts the audio of keys and
    tenants; without it, the gateway counts for itself, and forgets. So it does with ``glossaries``.
    """

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
        signer: TokenSigner | None = None,
        rooms: RoomDirectory | None = None,
        processes: DecoderProcesses | None = None,
        usage: UsageLedger | None = None,
        glossaries: Glossaries | None = None,
        audit: Audit = NO_AUDIT,
    ) -> None:
        self.log = log
        self.clock = clock
        self.probe = probe
        self.settings = settings
        self.audit = audit
        self.authenticator = authenticator or OpenAccess()
        self.signer = signer
        self.clients = Clients(self.authenticator)
        self.limits = Limits(settings, clock, probe, Usage(clock) if usage is None else usage)
        self.pending = PendingFinals(clock)
        self.processes = processes or DecoderProcesses()
        self.glossaries = GlossariesHere() if glossaries is None else glossaries
        directory = RoomsWithTerms(rooms or NoRoomDirectory(), self.glossaries)
        self.hub = Hub(
            log,
            self._observe,
            tracer,
            settings.history_bytes,
            clock=clock,
            rooms=directory,
            on_deletion=self._deleted,
        )
        self.deleter = Deleter(log, self.hub, clock, self.glossaries)
        self.sessions = Sessions(
            log=log,
            clock=clock,
            probe=probe,
            tracer=tracer,
            hub=self.hub,
            pending=self.pending,
            detector=detector,
            processes=self.processes,
            rooms=directory,
            settings=settings,
            limits=self.limits,
        )
        self._context = PublicationContext(
            sessions=self.sessions,
            pending=self.pending,
            probe=probe,
            done_timeout=settings.done_timeout,
        )
        self.viewers = 0
        self.history_turns = HistoryTurns()
        self.exports = Exports()
        self.proposals = Proposals()

    def _observe(self, track: TrackId, event: RoomEvent, origin: Origin, live: bool) -> None:
        if isinstance(event, TrackMessage):
            self.sessions.observe(track, event, origin, live=live)
        if isinstance(event, CaptionMessage) and event.final:
            self.pending.final(CaptionId(track, event.utterance))

    def _deleted(self, room: RoomId) -> None:
        self.sessions.deleted(room)
        self.exports.deleted(room)

    @property
    def draining(self) -> bool:
        """Whether this gateway takes no new clients, because it is about to stop."""
        return self.sessions.draining

    def not_ready(self) -> list[str]:
        """The reasons why this gateway takes no new clients; empty if it does."""
        return ["stopping"] if self.draining else []

    def observe(self) -> None:
        """Report to the probe the values that change with time alone."""
        self.probe.finals_awaited(self.pending.count, self.pending.longest_wait())

    def admit(self) -> None:
        """Check that a new client may connect. Raises ``ShuttingDown``."""
        if self.draining:
            raise ShuttingDown

    def admit_viewer(self) -> None:
        """Check that a new viewer may connect. Raises ``ShuttingDown`` or ``TooMany``."""
        self.admit()
        if self.viewers >= self.settings.max_viewers:
            raise TooMany(f"this server has {self.settings.max_viewers} viewers, which is its limit; try again later")

    async def publish(self, room: RoomId, options: StreamOptions, caller: Caller) -> Publication:
        """Begin or resume a publisher's session. Raises the ``Refusal`` that the publisher gets, or ``LogError``."""
        feed = Feed()
        session = await self.sessions.open(room, options, feed, caller)
        viewer = self.viewer(tracks=(session.track.name,), wake=session.wake)
        return Publication(session, feed, self.hub.room(room), viewer, self._context)

    def viewer(
        self, *, tracks: Collection[str] = (), partials: bool = True, wake: asyncio.Event | None = None
    ) -> Viewer:
        """Create the queue of one viewer. ``tracks`` limits it to these tracks; if empty, it gets all tracks."""
        return Viewer(
            backlog=self.settings.viewer_backlog, probe=self.probe, tracks=tracks, partials=partials, wake=wake
        )

    async def drain(self, deadline: float, *, elsewhere: bool) -> None:
        """Refuse new clients, and disconnect all clients within ``deadline`` seconds.

        If ``elsewhere`` is true, other gateways read the same log and continue the sessions, even in the middle of an
        utterance. Sessions that cannot move end, and their last captions are waited for.
        """
        self.probe.draining()
        try:
            async with asyncio.timeout(deadline):
                await self.sessions.drain(elsewhere=elsewhere)
        except TimeoutError:
            logger.warning("drain_deadline_passed", deadline=deadline)
        self.sessions.dismiss_all()
        for room in self.hub.rooms:
            for viewer in room.audience:
                viewer.end(ShuttingDown())

    async def close(self) -> None:
        """Free all resources. Call it after ``drain``."""
        with contextlib.suppress(asyncio.CancelledError):
            await self.sessions.close()
        await self.hub.close()
        self.exports.close()
        self.processes.close()
