"""The sessions of this gateway: opened, resumed, given up; and who may open one."""

import asyncio
import math
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog

from captions.caption import CaptionId
from captions.errors import LogError, NotFound, Overloaded, ShuttingDown, TooMany, TrackBusy
from captions.messages import TrackMessage, TrackState
from captions.ports.clock import Clock
from captions.ports.detector import SpeechDetector
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.tracer import Tracer
from captions.records import AUDIO, CAPTIONS, write_mark, write_room_event
from captions.track import RoomId, TrackId
from streamer.audio.decoder import Encoding
from streamer.rooms.hub import Hub
from streamer.sessions.creation import SessionMaker
from streamer.sessions.journal import Progress, progress_of
from streamer.sessions.pending import Pending
from streamer.sessions.session import Session
from streamer.sessions.timeline import Timeline, known_timeline
from streamer.settings import GatewaySettings
from streamer.web.query import PublishQuery, as_it_began

logger = structlog.get_logger(__name__)

CLEAN_CLOSES = frozenset({1000, 1001})
"""Codes with which a publisher closes its connection itself. One without a code looks like a lost connection."""

LEASE = 6.0
"""Seconds after which a track is free whose session nobody was heard to hold; holders are heard every 2 s."""

HANDOVER = 0.05
"""Seconds that a gateway gets to let go of a session that another takes over."""

MOST_TIMELINES = 10_000
"""Tracks without a session that are remembered, the latest of them."""


@dataclass
class Held:
    """A session and whoever feeds it. ``connection`` is told to leave when another takes over."""

    session: Session
    connection: asyncio.Event | None = None
    abandoned: asyncio.TimerHandle | None = field(default=None)


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
        pending: Pending,
        detector: Callable[[], SpeechDetector],
        settings: GatewaySettings,
    ) -> None:
        self._log = log
        self._clock = clock
        self._probe = probe
        self._tracer = tracer
        self._hub = hub
        self._pending = pending
        self._settings = settings
        self._name = secrets.token_urlsafe(6)
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
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> list[Held]:
        """Every session, fed or waiting to be resumed."""
        return list(self._held.values())

    def admit(self, room: RoomId) -> None:
        """Let a new session in, or raise ``TooMany`` or ``Overloaded``."""
        if len(self._held) >= self._settings.max_sessions:
            raise TooMany(
                f"{self._settings.max_sessions} sessions are open, which is this server's limit; try again later"
            )
        if sum(track.room == room for track in self._tracks) >= self._settings.max_tracks:
            raise TooMany(
                f"room {room.name} has {self._settings.max_tracks} tracks, which is a room's limit; try again later"
            )
        if (wait := self._pending.longest_wait()) > self._settings.overload_after:
            raise Overloaded(f"captions are {wait:.0f} s behind; try again later", retry_after=round(wait))

    def _check_open(self) -> None:
        """Raise ``ShuttingDown`` where a drain began meanwhile: a session begun now would not be handed on."""
        if self.draining:
            raise ShuttingDown

    def _check_free(self, track: TrackId) -> None:
        self._check_open()
        self.admit(track.room)
        if track in self._tracks:
            raise self._busy(track)

    def _busy(self, track: TrackId) -> TrackBusy:
        """Why the track is not free, and when it will be where that is known."""
        abandoned = self._held[self._tracks[track]].abandoned
        if abandoned is None:
            return TrackBusy(
                f"track {track.name} has a publisher; resume its session, take another track, "
                "or take this one over with takeover=true"
            )
        left = max(1, math.ceil(abandoned.when() - asyncio.get_running_loop().time()))
        return TrackBusy(
            f"track {track.name} has a publisher whose connection was lost; resume its session, "
            f"try again in {left} s, or take the track over with takeover=true",
            retry_after=left,
        )

    def _resumable(self, track: TrackId, query: PublishQuery) -> Held:
        held = self._held.get(query.session or "")
        if held is None or held.session.track != track or held.session.ending:
            raise NotFound(f"no session {query.session} on track {track.name} to resume; begin a new one")
        as_it_began(held.session.settings, query)
        return held

    async def open(
        self, room: RoomId, query: PublishQuery, connection: asyncio.Event, tenant: str | None = None
    ) -> Session:
        """Begin or resume a session for this connection; a new one is of ``tenant``."""
        await self._hub.open(room)
        self._check_open()
        track = TrackId(room, query.track)
        if query.session is not None:
            if query.session in self._held:
                return await self._resume(self._resumable(track, query), connection)
            return await self._take_over(track, query, connection, tenant)
        if query.takeover:
            await self._replace(track)
        self._check_free(track)
        timeline = await self._timeline(track)
        self._check_free(track)  # somebody may have been quicker
        session = self._maker.new(track, query, tenant, timeline)
        self._hold(session, connection)
        try:
            await self._announce(track, query.speaker, "live")
        except LogError:
            self._probe.session_closed("internal", tenant)
            await self.end(session)
            raise
        return session

    async def _replace(self, track: TrackId) -> None:
        """End the session that the track has, here or at another gateway: a newcomer takes the track over."""
        session = self._tracks.get(track)
        if session is None:
            progress = await self._progress(track)
            if progress is None or progress.over or self._clock.wall() - progress.said_at >= LEASE:
                return
            held_there = PublishQuery(track=track.name, session=progress.settings.session)
            with suppress(NotFound):  # it has ended meanwhile, or cannot go on anywhere
                await self._take_over(track, held_there, asyncio.Event(), None)
            session = self._tracks.get(track)
        if session is None:
            return
        held = self._held[session]
        held.session.replaced = True
        if held.abandoned is not None:
            held.abandoned.cancel()
        if held.connection is not None:
            held.connection.set()
        logger.info("session_replaced", session=session, **track.describe())
        await self._give_up(held.session)

    async def _resume(self, held: Held, connection: asyncio.Event) -> Session:
        if held.abandoned is not None:
            held.abandoned.cancel()
            held.abandoned = None
        if held.connection is not None:
            held.connection.set()
        held.connection = connection
        await self._say(held.session, "live")
        self._probe.session_opened(held.session.tenant)
        return held.session

    async def _timeline(self, track: TrackId) -> Timeline:
        """Where a new session of the track begins. Raises ``TrackBusy`` where another gateway holds the track."""
        state = self._hub.room(track.room).state
        progress = await self._progress(track) if any(told.track == track.name for told in state.tracks) else None
        wall = self._clock.wall()
        ended = self._ended.get(track)
        known = [ended.timeline if ended is not None else None, known_timeline(state, track.name)]
        if progress is not None:
            ended_here = ended is not None and ended.session == progress.settings.session
            if not (progress.over or ended_here) and wall - progress.said_at < LEASE:
                raise TrackBusy(
                    f"track {track.name} has a publisher at another gateway; resume its session, try again later, "
                    "take another track, or take this one over with takeover=true",
                    retry_after=LEASE,
                )
            known.append(Timeline(progress.settings.origin, progress.position, progress.next_utterance))
        before = max((t for t in known if t is not None), key=lambda t: t.next_utterance, default=None)
        return before.resumed_at(wall) if before is not None else Timeline(wall, 0, 0)

    async def _progress(self, track: TrackId) -> Progress | None:
        since = self._clock.wall() - self._settings.resume_window - self._settings.segmenter.longest - LEASE
        return await progress_of(self._log, track, since)

    async def _take_over(
        self, track: TrackId, query: PublishQuery, connection: asyncio.Event, tenant: str | None
    ) -> Session:
        """Go on with a session that another gateway held. Raises ``NotFound`` where the log knows nothing of it."""
        unknown = NotFound(f"no session {query.session} on track {track.name} to resume; begin a new one")
        progress = await self._progress(track)
        if progress is None or progress.settings.session != query.session or progress.over:
            raise unknown
        if self._clock.wall() - progress.said_at > self._settings.resume_window:
            raise unknown
        query = as_it_began(progress.settings, query)
        await self._announce(track, progress.settings.speaker, "live")
        await asyncio.sleep(HANDOVER)  # the other gateway, if it lives, reads that and lets go
        progress = await self._progress(track) or progress
        self._check_open()
        if track in self._tracks:
            raise TrackBusy("another connection resumed this session")
        if query.encoding is Encoding.CONTAINER:
            await self._log.append(AUDIO, write_mark(progress.last_mark(track)))
            raise NotFound("a container cannot be taken up in its middle by another gateway; begin a new session")
        session = self._maker.taken_over(track, query, tenant, progress)
        finals = self._hub.room(track.room).state.finals(track.name)
        for utterance in progress.ended - finals:
            self._pending.ended(CaptionId(track, utterance))
        for utterance in progress.traces.keys() - finals:
            context, since = progress.traces[utterance]
            self._tracer.utterance_resumed(CaptionId(track, utterance), context, since)
        logger.info("session_taken_over", session=session.id, **track.describe())
        self._hold(session, connection)
        return session

    def _hold(self, session: Session, connection: asyncio.Event) -> None:
        self._held[session.id] = Held(session, connection)
        self._tracks[session.track] = session.id
        session.start()
        self._probe.session_opened(session.tenant)

    def hear(self, track: TrackId, message: TrackMessage, gateway: str | None) -> None:
        """Somebody says what a track is: where another gateway has it now, let go of it."""
        held = self._held.get(self._tracks.get(track, ""))
        if held is None or message.state != "live" or gateway in {None, self._name}:
            return
        logger.info("session_handed_over", session=held.session.id, to=gateway)
        self._forget(held)
        self._tracer.track_left(track)
        if held.connection is not None:
            held.connection.set()
        self._background(held.session.close(), f"hand over {held.session.id}")

    def _forget(self, held: Held) -> None:
        if held.abandoned is not None:
            held.abandoned.cancel()
        self._held.pop(held.session.id, None)
        self._tracks.pop(held.session.track, None)

    def _background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def lost(self, session: Session, connection: asyncio.Event, code: int = 1006) -> None:
        """The connection was closed with this code, or broke: keep the session for a while."""
        held = self._held.get(session.id)
        if held is None or held.connection is not connection:
            return
        held.connection = None
        if session.ending:  # nothing more will come of it: the track is free for others
            self._abandon(session)
            return
        session.flush()
        loop = asyncio.get_running_loop()
        window = self._settings.close_window if code in CLEAN_CLOSES else self._settings.resume_window
        held.abandoned = loop.call_later(window, self._abandon, session)
        await self._try_to_say(session, "away")

    def _abandon(self, session: Session) -> None:
        self._background(self._give_up(session), f"abandon {session.id}")

    async def _give_up(self, session: Session) -> None:
        await session.finish()
        await session.finished.wait()
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
            logger.exception("end_not_told", session=session.id)
        await self._try_to_say(session, "away" if self.draining else "ended")

    def _remember(self, session: Session) -> None:
        """Keep the track's timeline: where nothing was said, the room's captions do not tell it."""
        self._ended.pop(session.track, None)
        listener = session.listener
        timeline = Timeline(session.settings.origin, listener.heard, listener.next_utterance)
        self._ended[session.track] = Ended(session.id, timeline)
        if len(self._ended) > MOST_TIMELINES:
            del self._ended[next(iter(self._ended))]

    async def _try_to_say(self, session: Session, state: TrackState) -> None:
        try:
            await self._say(session, state)
        except LogError:
            logger.exception("track_state_not_told", session=session.id, state=state)

    async def _say(self, session: Session, state: TrackState) -> None:
        await self._announce(session.track, session.settings.speaker, state)

    async def _announce(self, track: TrackId, speaker: str | None, state: TrackState) -> None:
        message = TrackMessage(room=track.room.name, track=track.name, speaker=speaker, state=state)
        await self._log.append(CAPTIONS, write_room_event(track.room, message, gateway=self._name))

    async def close(self) -> None:
        """End every session here at once; each may go on at another gateway."""
        self.draining = True
        for held in self.held:
            await self.end(held.session)
