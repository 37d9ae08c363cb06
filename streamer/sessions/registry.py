"""The sessions of this gateway: begun, resumed, taken over and ended."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import structlog

from captions.caption import CaptionId
from captions.errors import Internal, LogError, NotFound, ShuttingDown, TakenOver, TrackBusy
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
from streamer.audio.processes import DecoderProcesses
from streamer.limits import Caller, Limits
from streamer.rooms.hub import Hub
from streamer.sessions.admission import ANOTHER_CONNECTION, Admission, busy, not_found
from streamer.sessions.announcer import Announcer
from streamer.sessions.creation import SessionMaker
from streamer.sessions.draining import drain
from streamer.sessions.feed import Feed
from streamer.sessions.held import Held, HeldSessions
from streamer.sessions.lifecycle import Event
from streamer.sessions.pending_finals import PendingFinals
from streamer.sessions.session import Session
from streamer.sessions.takeover import Takeover
from streamer.sessions.timeline import Timelines
from streamer.settings import GatewaySettings

logger = structlog.get_logger(__name__)

BEGIN_TIMEOUT = 1.0
"""Seconds that a new session's publisher waits for the log. If the log is full, its audio waits too."""

NOBODY = Caller()
"""The caller of sessions that count for nobody."""

CLEAN_CLOSES = frozenset({1000, 1001})
"""Close codes of a publisher that closes its connection on purpose. Other codes mean a lost connection."""


class Sessions:
    """Begins, resumes and ends the sessions of one gateway. Each track has at most one."""

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
        processes: DecoderProcesses,
        rooms: RoomDirectory,
        settings: GatewaySettings,
        limits: Limits,
    ) -> None:
        self._probe = probe
        self._limits = limits
        self._tracer = tracer
        self._hub = hub
        self._pending = pending
        self._rooms = rooms
        self._settings = settings
        self._announcer = Announcer(log, secrets.token_urlsafe(6))
        self._takeover = Takeover(log, clock, self._announcer, settings)
        self._timelines = Timelines(clock, self._takeover)
        self._maker = SessionMaker(
            log=log,
            clock=clock,
            probe=probe,
            tracer=tracer,
            pending=pending,
            detector=detector,
            processes=processes,
            rooms=rooms,
            settings=settings,
        )
        self.draining = False
        self._held = HeldSessions()
        self.admission = Admission(self._held.callers, pending, limits, settings)
        self._opening: WeakValueDictionary[TrackId, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> list[Held]:
        """All sessions, fed by a connection or waiting to be resumed."""
        return self._held.all

    def _check_open(self) -> None:
        """Raise ``ShuttingDown`` if a drain has begun: it would not move a session that begins now."""
        if self.draining:
            raise ShuttingDown

    async def open(self, room: RoomId, options: StreamOptions, feed: Feed, caller: Caller = NOBODY) -> Session:
        """Begin or resume a session for the connection that holds ``feed``. A new session counts for ``caller``.

        Raises the ``Refusal`` that the publisher gets, or ``LogError``.
        """
        await self._hub.open(room)
        self._check_open()
        track = room.track(options.track)
        async with self._opening.setdefault(track, asyncio.Lock()):  # one connection per track at a time
            return await self._open(track, options, feed, caller)

    async def _open(self, track: TrackId, options: StreamOptions, feed: Feed, caller: Caller) -> Session:
        self._check_open()
        if options.session is not None:
            if (held := self._held.get(options.session)) is not None:
                return await self._resume(held, track, options, feed)
            with self.admission.moving(track, caller):  # before the claim: who is refused may resume elsewhere
                return await self._take_over(track, options, feed, caller)
        with self.admission.beginning(track, caller):  # first: who may not speak must not end another's session
            return await self._start(track, options, feed, caller)

    async def _start(self, track: TrackId, options: StreamOptions, feed: Feed, caller: Caller) -> Session:
        if options.takeover:
            await self._replace(track)
        if (held := self._held.on(track)) is not None:
            raise busy(track, held.expires_in)
        timeline = await self._timelines.next(track, self._hub.room(track.room).state)
        room_settings = await self._rooms.settings_of(track.room)
        self._check_open()  # again: a drain may have begun meanwhile
        session = self._maker.new(track, options, room_settings, timeline, self._limits.meter(caller))
        return await self._hold(session, feed)

    async def _resume(self, held: Held, track: TrackId, options: StreamOptions, feed: Feed) -> Session:
        if held.session.track != track or not held.session.takes_audio:
            raise not_found(track, options)
        options.resuming(held.session.settings)
        held.cancel_expiry()
        held.dismiss(TrackBusy(ANOTHER_CONNECTION))
        held.feed = feed
        held.session.on(Event.RESUMED)
        try:
            await self._announcer.announce(held.session, "live")
        except BaseException:
            await self.lost(held.session, feed)
            raise
        self._probe.session_opened(track.room.tenant)
        return held.session

    async def _replace(self, track: TrackId) -> None:
        """End the track's session, here or at another gateway, because another publisher takes the track over."""
        if self._held.on(track) is None:
            session = await self._takeover.held_by(track)
            if session is None:
                return
            with suppress(NotFound):  # it has ended meanwhile, or it is a container's
                await self._take_over(track, StreamOptions(track=track.name, session=session), Feed(), NOBODY)
                self._probe.session_closed("taken_over", track.room.tenant)
        if (held := self._held.on(track)) is None:
            return
        held.cancel_expiry()
        held.dismiss(TakenOver("another publisher took this track over; the captions continue with its audio"))
        logger.info("session_replaced", session=held.session.id, **track.describe())
        await self._finish(held.session)

    async def _take_over(self, track: TrackId, options: StreamOptions, feed: Feed, caller: Caller) -> Session:
        """Continue a session that another gateway held. Raises ``NotFound`` if the log does not know it."""
        if self._held.on(track) is not None:  # the track has another session by now
            raise not_found(track, options)
        claimed = await self._takeover.claim(track, options)
        if self.draining:  # the claim stands: the other gateway has lost the session
            await self._takeover.release(track, claimed.progress, claimed.epoch)
            raise ShuttingDown
        session = self._maker.taken_over(track, claimed, self._limits.meter(caller))
        finals = self._hub.room(track.room).state.finals(track.name)
        for utterance in claimed.progress.ended - finals:
            self._pending.ended(CaptionId(track, utterance))
        for utterance in claimed.progress.traces.keys() - finals:
            context, since = claimed.progress.traces[utterance]
            self._tracer.utterance_resumed(CaptionId(track, utterance), context, since)
        logger.info("session_taken_over", session=session.id, **track.describe())
        return await self._hold(session, feed)

    async def _hold(self, session: Session, feed: Feed) -> Session:
        """Hold the session, and return once it is announced, or while it waits for a log that is full.

        Raises ``Internal`` if the log failed.
        """
        self._held.add(session, feed)
        self._probe.session_opened(session.track.room.tenant)
        session.start(partial(self._begin, session))
        try:
            async with asyncio.timeout(BEGIN_TIMEOUT):
                await session.begun()
        except TimeoutError:
            logger.warning("session_waits_for_log", session=session.id, **session.track.describe())
        except BaseException:  # nobody serves the connection any more
            self._probe.session_closed("away", session.track.room.tenant)
            await self.lost(session, feed)
            raise
        if session.failure is not None:
            self._probe.session_closed(Internal.code, session.track.room.tenant)
            await self.end(session)
            raise session.failure
        return session

    async def _begin(self, session: Session) -> None:
        if session.recorder.epoch is None:
            await session.recorder.claim()
        else:
            await session.recorder.mark()  # shows other gateways immediately that the track is held
        await self._announcer.announce(session, "live")

    def observe(self, track: TrackId, message: TrackMessage, origin: Origin, *, live: bool) -> None:
        """Handle the announcement of a track's state: release the track's session if another gateway holds it now.

        A gateway that was paused may announce an outdated state; this gateway then announces the current one again.
        ``live`` is false for an announcement from before this gateway began to read the room's partition.
        """
        held = self._held.on(track)
        if held is None or origin.gateway in {None, self._announcer.gateway}:
            return
        own = held.session.recorder.epoch
        if own is None:
            return  # this gateway's own claim is on its way, and comes later than the other's
        if origin.epoch is None:  # an older gateway
            lost = live and message.state == "live"
        elif not (lost := origin.epoch > own) and live:
            self._announce_again(held)
        if lost:
            self._hand_over(held, origin.gateway)

    def deleted(self, room: RoomId) -> None:
        """Handle the deletion of a room: its sessions go on with new utterances, and are announced anew."""
        for held in self.held:
            if held.session.track.room == room:
                held.session.finalize("finalize")
                self._announce_again(held)

    def _announce_again(self, held: Held) -> None:
        state: TrackState = "live" if held.feed is not None else "away"
        self._background(self._announcer.try_to_announce(held.session, state), f"announce {held.session.id}")

    def _hand_over(self, held: Held, gateway: str | None) -> None:
        session = held.session
        logger.info("session_handed_over", session=session.id, to=gateway)
        self._held.remove(held)
        self._tracer.track_left(session.track)
        held.dismiss(TrackBusy(ANOTHER_CONNECTION))
        self._background(session.close(), f"hand over {session.id}")

    def _background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def lost(self, session: Session, feed: Feed, code: int = 1006) -> None:
        """Handle a connection that closed with ``code``, or was lost: keep the session for a limited time."""
        held = self._held.get(session.id)
        if held is None or held.feed is not feed:
            return
        held.feed = None
        session.on(Event.LOST)
        if not session.takes_audio:  # its publisher cannot resume it, so the track becomes free
            self._finish_in_background(session)
            return
        session.flush()
        window = self._settings.close_window if code in CLEAN_CLOSES else self._settings.resume_window
        held.expiry = asyncio.get_running_loop().call_later(window, self._finish_in_background, session)
        await self._announcer.try_to_announce(session, "away")

    def _finish_in_background(self, session: Session) -> None:
        self._background(self._finish_if_away(session), f"finish {session.id}")

    async def _finish(self, session: Session) -> None:
        await session.finish()
        await self.end(session)

    async def _finish_if_away(self, session: Session) -> None:
        held = self._held.get(session.id)
        if held is not None and held.feed is None:  # its publisher may have resumed it as its time ran out
            await self._finish(session)

    async def end(self, session: Session) -> None:
        """Stop holding a session whose utterances have all ended; its track becomes free.

        While this gateway drains, the session may continue at another gateway.
        """
        held = self._held.get(session.id)
        if held is None:
            return
        self._held.remove(held)
        await session.close()
        self._timelines.remember(session)
        try:
            if not self.draining:
                await session.recorder.mark(over=True)
        except LogError:
            logger.exception("end_not_written", session=session.id)
        if self._held.on(session.track) is None:  # unless the next session of the track has begun
            await self._announcer.try_to_announce(session, "away" if self.draining else "ended")

    async def drain(self, *, elsewhere: bool) -> None:
        """Stop taking audio, and return once the audio of all sessions is on the log.

        If ``elsewhere`` is true, other gateways continue the sessions that can move, without waiting for captions.
        All other sessions end, and their last captions are waited for.
        """
        self.draining = True
        await drain(self.held, self._pending, elsewhere=elsewhere)

    def dismiss_all(self) -> None:
        """Make every connection release its session."""
        for held in self.held:
            held.dismiss(ShuttingDown())

    async def close(self) -> None:
        """End all sessions at this gateway immediately. Other gateways may continue them."""
        self.draining = True
        for held in self.held:
            await self.end(held.session)
