"""The sessions of this gateway: opened, resumed, given up; and who may open one."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from captions.audio import SAMPLE_RATE
from captions.errors import LogError, NotFound, Overloaded, TooMany, TrackBusy
from captions.listener import Listener
from captions.messages import TrackMessage, TrackState
from captions.ports.clock import Clock
from captions.ports.detector import SpeechDetector
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.records import CAPTIONS, write_room_event
from captions.segmenter import Segmenter
from captions.session import SessionSettings
from streamer.audio.decoder import AudioFormat, Encoding
from streamer.audio.open import open_decoder
from streamer.audio.samples import BYTES
from streamer.pending import Pending
from streamer.query import PublishQuery
from streamer.rooms.hub import Hub
from streamer.session import Session, SessionPlace
from streamer.settings import GatewaySettings
from streamer.timeline import Timeline, known_timeline

logger = structlog.get_logger(__name__)

MOST_TIMELINES = 10_000
"""Tracks without a session that are remembered, the latest of them."""


@dataclass
class Held:
    """A session and whoever feeds it. ``connection`` is told to leave when another takes over."""

    session: Session
    connection: asyncio.Event | None = None
    abandoned: asyncio.TimerHandle | None = field(default=None)


class Sessions:
    """Sessions by id, at most one a track."""

    def __init__(
        self,
        *,
        log: Log,
        clock: Clock,
        probe: Probe,
        hub: Hub,
        pending: Pending,
        detector: Callable[[], SpeechDetector],
        settings: GatewaySettings,
    ) -> None:
        self._log = log
        self._clock = clock
        self._probe = probe
        self._hub = hub
        self._pending = pending
        self._detector = detector
        self._settings = settings
        self._held: dict[str, Held] = {}
        self._tracks: dict[SessionPlace, str] = {}
        self._timelines: dict[SessionPlace, Timeline] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> list[Held]:
        """Every session, fed or waiting to be resumed."""
        return list(self._held.values())

    def admit(self, room: str) -> None:
        """Let a new session in, or raise ``TooMany`` or ``Overloaded``."""
        if len(self._held) >= self._settings.max_sessions:
            raise TooMany(
                f"{self._settings.max_sessions} sessions are open, which is this server's limit; try again later"
            )
        if sum(place.room == room for place in self._tracks) >= self._settings.max_tracks:
            raise TooMany(
                f"room {room} has {self._settings.max_tracks} tracks, which is a room's limit; try again later"
            )
        if (wait := self._pending.longest_wait()) > self._settings.overload_after:
            raise Overloaded(f"captions are {wait:.0f} s behind; try again later", retry_after=round(wait))

    def check_free(self, room: str, query: PublishQuery) -> None:
        """Raise what a publish with this query would be refused for."""
        if query.session is not None:
            self._resumable(room, query)
        else:
            self.admit(room)
            if SessionPlace(room, query.track) in self._tracks:
                raise TrackBusy(f"track {query.track} has a publisher; resume its session, wait, or take another track")

    def _resumable(self, room: str, query: PublishQuery) -> Held:
        held = self._held.get(query.session or "")
        if held is None or held.session.place != SessionPlace(room, query.track) or held.session.ending:
            raise NotFound(f"no session {query.session} on track {query.track} to resume; begin a new one")
        return held

    async def open(self, room: str, query: PublishQuery, connection: asyncio.Event) -> Session:
        """Begin or resume a session for this connection."""
        await self._hub.open(room)
        self.check_free(room, query)
        if query.session is not None:
            return await self._resume(self._resumable(room, query), connection)
        session = self._create(room, query)
        self._held[session.id] = Held(session, connection)
        self._tracks[session.place] = session.id
        session.start()
        try:
            await self._say(session, "live")
        except LogError:
            await self.end(session)
            raise
        self._probe.session_opened()
        return session

    async def _resume(self, held: Held, connection: asyncio.Event) -> Session:
        if held.abandoned is not None:
            held.abandoned.cancel()
            held.abandoned = None
        if held.connection is not None:
            held.connection.set()
        held.connection = connection
        await self._say(held.session, "live")
        self._probe.session_opened()
        return held.session

    def _create(self, room: str, query: PublishQuery) -> Session:
        place = SessionPlace(room, query.track)
        wall = self._clock.wall()
        state = self._hub.known(room)
        told = known_timeline(state.state, query.track) if state is not None else None
        known = [timeline for timeline in (self._timelines.get(place), told) if timeline is not None]
        before = max(known, key=lambda timeline: timeline.next_utterance, default=None)
        timeline = before.resumed_at(wall) if before is not None else Timeline(wall, 0, 0)
        detector = self._detector()
        segmenter = Segmenter(
            self._settings.segmenter,
            detector.frame_samples,
            first_utterance=timeline.next_utterance,
            origin=timeline.heard,
        )
        return Session(
            place=place,
            settings=SessionSettings(
                session=secrets.token_urlsafe(12),
                origin=timeline.origin,
                language=query.language or self._settings.language,
                speaker=query.speaker,
                vocabulary=query.vocabulary,
            ),
            decoder=open_decoder(query.format),
            listener=Listener(detector, segmenter),
            log=self._log,
            clock=self._clock,
            probe=self._probe,
            stall_timeout=self._settings.stall_timeout,
            max_unacknowledged=self._settings.max_unacknowledged,
            on_ended=lambda utterance: self._pending.ended(place.room, place.track, utterance),
            offset_of=offset_of(query.format),
        )

    async def lost(self, session: Session, connection: asyncio.Event) -> None:
        """The connection broke: keep the session for a while."""
        held = self._held.get(session.id)
        if held is None or held.connection is not connection:
            return
        held.connection = None
        if session.ending:  # nothing more will come of it: the track is free for others
            self._abandon(session)
            return
        session.flush()
        loop = asyncio.get_running_loop()
        held.abandoned = loop.call_later(self._settings.resume_window, self._abandon, session)
        await self._try_to_say(session, "away")

    def _abandon(self, session: Session) -> None:
        task = asyncio.create_task(self._give_up(session), name=f"abandon {session.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_up(self, session: Session) -> None:
        await session.finish()
        await session.finished.wait()
        await self.end(session)

    async def end(self, session: Session) -> None:
        """The session is over: its track is free, its id is forgotten. Its utterances must be ended by now."""
        if self._held.pop(session.id, None) is None:
            return
        self._tracks.pop(session.place, None)
        await session.close()
        self._remember(session)
        await self._try_to_say(session, "ended")

    def _remember(self, session: Session) -> None:
        """Keep the track's timeline: where nothing was said, the room's captions do not tell it."""
        self._timelines.pop(session.place, None)
        self._timelines[session.place] = Timeline(
            session.settings.origin, session.listener.heard, session.listener.next_utterance
        )
        if len(self._timelines) > MOST_TIMELINES:
            del self._timelines[next(iter(self._timelines))]

    async def _try_to_say(self, session: Session, state: TrackState) -> None:
        try:
            await self._say(session, state)
        except LogError:
            logger.exception("track_state_not_told", session=session.id, state=state)

    async def _say(self, session: Session, state: TrackState) -> None:
        message = TrackMessage(
            room=session.place.room, track=session.place.track, speaker=session.settings.speaker, state=state
        )
        await self._log.append(CAPTIONS, write_room_event(message))

    async def close(self) -> None:
        """End every session at once."""
        for held in self.held:
            if held.abandoned is not None:
                held.abandoned.cancel()
            await self.end(held.session)


def offset_of(audio: AudioFormat) -> Callable[[int], int] | None:
    """How many bytes the first so many decoded samples account for; None where the format alone does not tell."""
    if audio.encoding is Encoding.CONTAINER:
        return None
    frame = BYTES[audio.encoding] * audio.channels
    return lambda samples: samples * audio.sample_rate // SAMPLE_RATE * frame
