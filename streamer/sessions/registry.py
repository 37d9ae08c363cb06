"""The sessions of this gateway: begun, resumed, given up."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import structlog

from captions.caption import CaptionId
from captions.errors import LogError, NotFound, Refusal, ShuttingDown, TakenOver, TrackBusy
from captions.messages import TrackMessage, TrackState
from captions.ports.clock import Clock
from captions.ports.detector import SpeechDetector
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.room_directory import RoomDirectory
from captions.ports.tracer import Tracer
from captions.records import Origin
from captions.stream_options import StreamOptions
from captions.track import RoomId, TrackId
from streamer.rooms.hub import Hub
from streamer.sessions.admission import ANOTHER_CONNECTION, busy, busy_elsewhere, check_limits
from streamer.sessions.announcer import Announcer
from streamer.sessions.creation import SessionMaker
from streamer.sessions.feed import Feed
from streamer.sessions.lifecycle import Event
from streamer.sessions.pending_finals import PendingFinals
from streamer.sessions.session import Session
from streamer.sessions.takeover import Takeover
from streamer.sessions.timeline import Timeline, known_timeline
from streamer.settings import GatewaySettings

logger = structlog.get_logger(__name__)

CLEAN_CLOSES = frozenset({1000, 1001})
"""Codes with which a publisher closes its connection itself. One without a code looks like a lost connection."""

MOST_TIMELINES = 10_000
"""Tracks without a session that are remembered, the latest of them."""


@dataclass
class Held:
    """A session and the connection that feeds it; without one it is given up when ``expiry`` comes."""

    session: Session
    feed: Feed | None = None
    expiry: asyncio.TimerHandle | None = None

    def dismiss(self, reason: Refusal) -> None:
        """Its connection has to let go, if it has one."""
        if self.feed is not None:
            self.feed.dismiss(reason)

    def keep(self) -> None:
        """Do not give it up."""
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None


class Ended(NamedTuple):
    """The last session of a track that ended here, and where it left the track."""

    session: str
    timeline: Timeline


class Sessions:
    """Sessions by id, at most one a track."""

    def __init__(
        self,
        *,
        log: Log,
        clock: Clock,
        probe: Probe,
        tracer: Tracer,
        hub: Hub,
        pending: PendingFinals,
        detector: Callable[[], SpeechDetector],
        rooms: RoomDirectory,
        settings: GatewaySettings,
    ) -> None:
        self._clock = clock
        self._probe = probe
        self._tracer = tracer
        self._hub = hub
        self._pending = pending
        self._rooms = rooms
        self._settings = settings
        self._announcer = Announcer(log, secrets.token_urlsafe(6))
        self._takeover = Takeover(log, clock, self._announcer, settings)
        self._maker = SessionMaker(
            log=log,
            clock=clock,
            probe=probe,
            tracer=tracer,
            pending=pending,
            detector=detector,
            settings=settings,
        )
        self.draining = False
        self._held: dict[str, Held] = {}
        self._tracks: dict[TrackId, str] = {}
        self._ended: dict[TrackId, Ended] = {}
        self._opening: WeakValueDictionary[TrackId, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> list[Held]:
        """Every session, fed or waiting to be resumed."""
        return list(self._held.values())

    def admit(self, room: RoomId) -> None:
        """Let a new session in, or raise ``TooMany`` or ``Overloaded``."""
        check_limits(self._tracks, room, self._pending, self._settings)

    def _check_open(self) -> None:
        """Raise ``ShuttingDown`` where a drain began meanwhile: a session begun now would not be handed on."""
        if self.draining:
            raise ShuttingDown

    def _check_free(self, track: TrackId) -> None:
        self._check_open()
        self.admit(track.room)
        if (session := self._tracks.get(track)) is not None:
            expiry = self._held[session].expiry
            raise busy(track, None if expiry is None else expiry.when() - asyncio.get_running_loop().time())

    async def open(self, room: RoomId, options: StreamOptions, feed: Feed, tenant: str | None = None) -> Session:
        """Begin or resume a session for this connection; a new one is of ``tenant``."""
        await self._hub.open(room)
        self._check_open()
        track = room.track(options.track)
        async with self._opening.setdefault(track, asyncio.Lock()):  # one claims the track at a time
            return await self._open(track, options, feed, tenant)

    async def _open(self, track: TrackId, options: StreamOptions, feed: Feed, tenant: str | None) -> Session:
        self._check_open()
        if options.session is not None:
            if options.session in self._held:
                return await self._resume(self._resumable(track, options), feed)
            return await self._take_over(track, options, feed, tenant)
        if options.takeover:
            await self._replace(track)
        self._check_free(track)
        timeline = await self._timeline(track)
        room_settings = await self._rooms.settings_of(track.room)
        self._check_free(track)  # a drain may have begun, and other tracks may have filled the room
        session = self._maker.new(track, options, room_settings, tenant, timeline)
        self._hold(session, feed)
        try:
            await self._announcer.announce(session, "live")
        except LogError:
            self._probe.session_closed("internal", tenant)
            await self.end(session)
            raise
        return session

    def _resumable(self, track: TrackId, options: StreamOptions) -> Held:
        held = self._held.get(options.session or "")
        if held is None or held.session.track != track or not held.session.takes_audio:
            raise NotFound(f"no session {options.session} on track {track.name} to resume; begin a new one")
        options.resuming(held.session.settings)
        return held

    async def _resume(self, held: Held, feed: Feed) -> Session:
        held.keep()
        held.dismiss(TrackBusy(ANOTHER_CONNECTION))
        held.feed = feed
        held.session.on(Event.RESUMED)
        await self._announcer.announce(held.session, "live")
        self._probe.session_opened(held.session.tenant)
        return held.session

    async def _replace(self, track: TrackId) -> None:
        """End the session that the track has, here or at another gateway: a newcomer takes the track over."""
        if track not in self._tracks:
            session = await self._takeover.held_by(track)
            if session is None:
                return
            with suppress(NotFound):  # it has ended meanwhile, or cannot go on anywhere
                await self._take_over(track, StreamOptions(track=track.name, session=session), Feed(), None)
        if (own := self._tracks.get(track)) is None:
            return
        held = self._held[own]
        held.keep()
        held.dismiss(TakenOver("another publisher took this track over; its captions go on from there"))
        logger.info("session_replaced", session=own, **track.describe())
        await self._give_up(held.session)

    async def _timeline(self, track: TrackId) -> Timeline:
        """Where a new session of the track begins. Raises ``TrackBusy`` where another gateway holds the track."""
        state = self._hub.room(track.room).state
        progress = None
        if any(known.track == track.name for known in state.tracks):
            progress = await self._takeover.progress(track)
        ended = self._ended.get(track)
        known = [ended.timeline if ended is not None else None, known_timeline(state, track.name)]
        if progress is not None:
            ended_here = ended is not None and ended.session == progress.settings.session
            if self._takeover.holds(progress) and not ended_here:
                raise busy_elsewhere(track)
            known.append(Timeline(progress.settings.origin, progress.position, progress.next_utterance))
        before = max((t for t in known if t is not None), key=lambda t: t.next_utterance, default=None)
        wall = self._clock.wall()
        return before.resumed_at(wall) if before is not None else Timeline(wall, 0, 0)

    async def _take_over(self, track: TrackId, options: StreamOptions, feed: Feed, tenant: str | None) -> Session:
        """Go on with a session that another gateway held. Raises ``NotFound`` where the log does not know it."""
        claimed = await self._takeover.claim(track, options)
        if self.draining:  # whoever held the session has lost it all the same
            await self._announcer.announce_track(track, claimed.progress.settings.speaker, "away", claimed.epoch)
            raise ShuttingDown
        session = self._maker.taken_over(track, tenant, claimed)
        finals = self._hub.room(track.room).state.finals(track.name)
        for utterance in claimed.progress.ended - finals:
            self._pending.ended(CaptionId(track, utterance))
        for utterance in claimed.progress.traces.keys() - finals:
            context, since = claimed.progress.traces[utterance]
            self._tracer.utterance_resumed(CaptionId(track, utterance), context, since)
        logger.info("session_taken_over", session=session.id, **track.describe())
        self._hold(session, feed)
        try:
            await self._announcer.announce(session, "live")
        except LogError:
            self._probe.session_closed("internal", tenant)
            await self.lost(session, feed)
            raise
        return session

    def _hold(self, session: Session, feed: Feed) -> None:
        self._held[session.id] = Held(session, feed)
        self._tracks[session.track] = session.id
        session.start()
        self._probe.session_opened(session.tenant)

    def observe(self, track: TrackId, message: TrackMessage, origin: Origin) -> None:
        """A gateway announced a track's state: let go of the track where another one holds it now.

        A gateway that was paused may announce what is no longer true: then it is told again what is.
        """
        held = self._held.get(self._tracks.get(track, ""))
        if held is None or origin.gateway in {None, self._announcer.gateway}:
            return
        own = held.session.recorder.epoch
        if own is None or origin.epoch is None:
            lost = message.state == "live"
        elif not (lost := origin.epoch > own):
            state: TrackState = "live" if held.feed is not None else "away"
            self._background(self._announcer.try_to_announce(held.session, state), f"announce {held.session.id}")
        if lost:
            self._hand_over(held, origin.gateway)

    def _hand_over(self, held: Held, gateway: str | None) -> None:
        session = held.session
        logger.info("session_handed_over", session=session.id, to=gateway)
        self._forget(held)
        self._tracer.track_left(session.track)
        held.dismiss(TrackBusy(ANOTHER_CONNECTION))
        self._background(session.close(), f"hand over {session.id}")

    def _forget(self, held: Held) -> None:
        held.keep()
        self._held.pop(held.session.id, None)
        self._tracks.pop(held.session.track, None)

    def _background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def lost(self, session: Session, feed: Feed, code: int = 1006) -> None:
        """The connection was closed with this code, or broke: keep the session for a while."""
        held = self._held.get(session.id)
        if held is None or held.feed is not feed:
            return
        held.feed = None
        session.on(Event.LOST)
        if not session.takes_audio:  # nothing more will come of it: the track is free for others
            self._abandon(session)
            return
        session.flush()
        window = self._settings.close_window if code in CLEAN_CLOSES else self._settings.resume_window
        held.expiry = asyncio.get_running_loop().call_later(window, self._abandon, session)
        await self._announcer.try_to_announce(session, "away")

    def _abandon(self, session: Session) -> None:
        self._background(self._give_up(session), f"abandon {session.id}")

    async def _give_up(self, session: Session) -> None:
        await session.finish()
        await self.end(session)

    async def end(self, session: Session) -> None:
        """The session is over here: its track is free, its id is forgotten. Its utterances must be ended by now.

        While this gateway drains it may go on at another.
        """
        held = self._held.get(session.id)
        if held is None:
            return
        self._forget(held)
        await session.close()
        self._remember(session)
        try:
            if not self.draining:
                await session.recorder.mark(over=True)
        except LogError:
            logger.exception("end_not_written", session=session.id)
        await self._announcer.try_to_announce(session, "away" if self.draining else "ended")

    def _remember(self, session: Session) -> None:
        """Keep the track's timeline: where nothing was said, the room's captions do not tell it."""
        self._ended.pop(session.track, None)
        listener = session.listener
        timeline = Timeline(session.settings.origin, listener.position, listener.next_utterance)
        self._ended[session.track] = Ended(session.id, timeline)
        if len(self._ended) > MOST_TIMELINES:
            del self._ended[next(iter(self._ended))]

    async def drain(self, *, elsewhere: bool) -> None:
        """Take all audio in that was sent, and return once it is on the log.

        ``elsewhere``: another gateway goes on with the sessions that can be moved; the others are ended, and their
        captions are waited for.
        """
        self.draining = True
        await asyncio.gather(*(self._let_go(held, elsewhere=elsewhere) for held in self.held))
        if not elsewhere:
            await self._pending.all_settled()

    async def _let_go(self, held: Held, *, elsewhere: bool) -> None:
        session = held.session
        if elsewhere and session.movable:
            await session.move()
            held.dismiss(ShuttingDown())
        else:
            await session.finish()
            await self._pending.settled(session.track)

    def dismiss_all(self) -> None:
        """Every connection has to let go of its session."""
        for held in self.held:
            held.dismiss(ShuttingDown())

    async def close(self) -> None:
        """End every session here at once; each may go on at another gateway."""
        self.draining = True
        for held in self.held:
            await self.end(held.session)
