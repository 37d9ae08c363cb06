"""One connection that feeds a session, whatever protocol it speaks: commands in, events out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from math import inf

from captions.audio import to_seconds
from captions.errors import (
    BadRequest,
    ClientFault,
    Internal,
    Refusal,
    ShuttingDown,
    SlowConsumer,
    TrackBusy,
    UnsupportedAudio,
)
from captions.messages import CaptionMessage
from captions.ports.probe import Probe
from captions.publication import (
    Accepted,
    Acknowledged,
    Audio,
    Captioned,
    Command,
    EndStream,
    Event,
    FinalizeUtterance,
    Finished,
    Mute,
    SpeechStarted,
    Warned,
)
from streamer.event_timer import EventTimer
from streamer.rooms.room import Room
from streamer.rooms.viewer import Viewer
from streamer.sessions.feed import Feed
from streamer.sessions.pending_finals import PendingFinals
from streamer.sessions.registry import Sessions
from streamer.sessions.session import Session

ACK_INTERVAL = 0.5
"""Seconds between acknowledgements while audio flows: the protocol promises one a second."""

FLOWS = 2.0
"""Seconds after a frame for which audio counts as flowing: frames may be a second apart."""


class IdleTimeout(BadRequest):
    """A publisher that sent nothing for too long, not even a keepalive: its connection counts as lost."""


RESUMABLE = (ShuttingDown, Internal, TrackBusy, SlowConsumer, IdleTimeout)
"""Refusals after which the session waits for its publisher to resume it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationContext:
    """What publications share. ``done_timeout`` are the seconds that a publisher waits between two finals."""

    sessions: Sessions
    pending: PendingFinals
    probe: Probe
    draining: Callable[[], bool]
    done_timeout: float


class Publication:
    """A connection's stream into its session.

    ``feed`` is its hold on the session, ``viewer`` the queue of the track's captions in ``room``.
    """

    def __init__(self, session: Session, feed: Feed, room: Room, viewer: Viewer, context: PublicationContext) -> None:
        self.session = session
        self._feed = feed
        self._room = room
        self._viewer = viewer
        self._context = context
        self._acknowledged = -1
        self._flows_until = -inf
        self._ended = False

    async def begin(self) -> Accepted:
        """Take the stream up; where it goes on from."""
        offset = await self.session.resume()
        self._room.follow(self._viewer)
        return Accepted(session=self.session.id, track=self.session.track, offset=offset)

    async def execute(self, command: Command) -> bool:
        """Do what the publisher asks for; whether more commands may follow.

        Raises ``TooLarge`` where too much is not acknowledged, and ``ShuttingDown`` for an end after bytes that were
        not taken. Where the bytes cannot be decoded nothing more is obeyed: ``events`` raises why, after the captions
        of what came before.
        """
        if self._feed.dismissed:
            return True  # whoever feeds the session now sends this again
        match command:
            case Audio(data):
                return await self._audio(data)
            case Mute():
                self.session.muted()
            case FinalizeUtterance():
                self.session.finalize("finalize")
            case EndStream():
                if self._context.draining() and not self.session.takes_audio:
                    raise ShuttingDown  # bytes before it may have been passed over
                self._ended = True
                await self.session.end()
                return False
        return True

    async def _audio(self, data: bytes) -> bool:
        self._flows_until = asyncio.get_running_loop().time() + FLOWS
        try:
            await self.session.feed(data)
        except UnsupportedAudio:
            return False
        return True

    async def events(self) -> AsyncIterator[Event]:
        """What happens to the stream, until ``Finished``. Raises the ``Refusal`` that ends it before."""
        session = self.session
        loop = asyncio.get_running_loop()
        next_ack = loop.time()
        timer = EventTimer(session.wake)
        while True:
            session.wake.clear()
            for event in self.waiting():
                yield event
            if session.failure is not None:
                if isinstance(session.failure, ClientFault):
                    async for event in self._last_captions():
                        yield event
                raise session.failure
            now = loop.time()
            if now >= next_ack or session.written:
                if now < self._flows_until or session.safe != self._acknowledged:
                    self._acknowledged = session.safe
                    yield Acknowledged(self._acknowledged)
                next_ack = now + ACK_INTERVAL
            if session.written and self._ended:
                async for event in self._last_captions():
                    yield event
                await self._context.sessions.end(session)
                warnings = session.decoder.warnings.all
                yield Finished(offset=session.acknowledged, seconds=session.seconds, warnings=warnings)
                return
            timer.fire_within(next_ack - now)
            await session.wake.wait()

    def waiting(self) -> Sequence[Event]:
        """What happened since the last call."""
        events: list[Event] = []
        for warning in self.session.decoder.warnings.take_new():
            self._context.probe.audio_warned(warning.code)
            events.append(Warned(warning))
        opened = self.session.recorder.opened
        while opened:
            events.append(SpeechStarted(to_seconds(opened.popleft())))
        events += [
            Captioned(encoded.event, encoded.json)
            for encoded in self._viewer.take()
            if isinstance(encoded.event, CaptionMessage)
        ]
        return events

    async def _last_captions(self) -> AsyncIterator[Event]:
        """The captions of what was said, to the last final. Raises ``Internal`` where they are late."""
        session, pending, loop = self.session, self._context.pending, asyncio.get_running_loop()
        settled = asyncio.create_task(pending.settled(session.track))
        timeout = self._context.done_timeout
        try:
            awaited, deadline = pending.awaited(session.track), loop.time() + timeout
            while not settled.done():
                waking = asyncio.create_task(session.wake.wait())
                left = deadline - loop.time()
                happened, _ = await asyncio.wait({settled, waking}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                session.wake.clear()
                for event in self.waiting():
                    yield event
                if (still := pending.awaited(session.track)) < awaited:
                    awaited, deadline = still, loop.time() + timeout
                elif not happened:
                    raise Internal("the last captions are late; they will be in the room's transcript")
        finally:
            settled.cancel()
        for event in self.waiting():
            yield event

    async def dismissal(self) -> Refusal:
        """Why this connection has to let go of its session, once it has to."""
        refusal = await self._feed.dismissal()
        if isinstance(refusal, ShuttingDown) and self._ended and not self._waits_for_finals():
            await asyncio.Future()  # `Finished` is on its way
        return refusal

    def _waits_for_finals(self) -> bool:
        return not self.session.written or self._context.pending.waits_for(self.session.track)

    async def lost(self, code: int) -> None:
        """The connection was closed with this code, or broke: the session waits for its publisher for a while."""
        await self._context.sessions.lost(self.session, self._feed, code)

    async def refused(self, refusal: Refusal) -> None:
        """The publisher was told why the stream ends: end the session too, where it cannot go on."""
        if isinstance(refusal, RESUMABLE) or self._feed.dismissed:
            await self._context.sessions.lost(self.session, self._feed)
        else:
            await self.session.finish()
            await self._context.sessions.end(self.session)

    def close(self) -> None:
        """The connection is over."""
        self._room.unfollow(self._viewer)
