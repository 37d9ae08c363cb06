"""One connection that feeds a session: commands in, events out, independent of the publisher's protocol."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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
    TooMany,
    TrackBusy,
    Unauthorized,
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
from streamer.event_timer import EARLY, EventTimer
from streamer.rooms.room import Room
from streamer.rooms.viewer import Viewer
from streamer.sessions.feed import Feed
from streamer.sessions.pending_finals import PendingFinals
from streamer.sessions.registry import Sessions
from streamer.sessions.session import Session

ACK_INTERVAL = 0.5
"""Seconds between acknowledgements while audio flows. The protocol promises one per second."""

FLOWS = 2.0
"""Seconds after a frame in which audio counts as flowing. Frames may be a second apart."""


class IdleTimeout(BadRequest):
    """The publisher sent neither audio nor ``keepalive`` for too long. Its connection counts as lost."""


RESUMABLE = (ShuttingDown, Internal, TrackBusy, SlowConsumer, TooMany, IdleTimeout)
"""Refusals after which the publisher may resume the session. All others end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationContext:
    """Dependencies that all publications of a gateway share.

    ``done_timeout`` is the longest time in seconds between two finals that a publisher waits for after its end.
    """

    sessions: Sessions
    pending: PendingFinals
    probe: Probe
    done_timeout: float


class Publication:
    """The stream of one connection into its session.

    ``feed`` is the connection's right to feed the session. ``viewer`` is the queue of the track's captions in ``room``.
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
        """Begin or resume the stream. The event says from which byte the publisher has to send."""
        offset = await self.session.resume()
        self._room.follow(self._viewer)
        return Accepted(session=self.session.id, track=self.session.track, offset=offset)

    async def execute(self, command: Command) -> bool:
        """Execute a publisher's command. Returns whether more commands may follow.

        Waits before it takes audio that comes faster than the publisher may send it. If the bytes cannot be decoded, it
        returns False, and ``events`` raises the reason after the captions of the audio before. Raises ``TooLarge`` if
        too many bytes are not acknowledged, ``TooMany`` if too many commands come, and ``ShuttingDown`` for an end of
        the stream after bytes that were not taken.
        """
        if not isinstance(command, Audio):
            self.session.meter.command()
        elif wait := self.session.meter.audio():
            await asyncio.sleep(wait)
        if self._feed.dismissed:
            return True  # the connection that feeds the session now sends this again
        match command:
            case Audio():
                self._flows_until = asyncio.get_running_loop().time() + FLOWS
                try:
                    await self.session.feed(command.data)
                except UnsupportedAudio:
                    return False
            case Mute():
                self.session.muted()
            case FinalizeUtterance():
                self.session.finalize("finalize")
            case EndStream():
                if self._context.sessions.draining and not self.session.takes_audio:
                    raise ShuttingDown  # bytes before the end may have been ignored
                self._ended = True
                await self.session.end()
                return False
        return True

    async def events(self) -> AsyncIterator[Event]:
        """The events of the stream, up to ``Finished``. Raises the ``Refusal`` if one ends the stream earlier."""
        session = self.session
        loop = asyncio.get_running_loop()
        next_ack = loop.time()
        timer = EventTimer(session.wake)
        while True:
            session.wake.clear()
            for event in self.new_events():
                yield event
            if session.failure is not None:
                if isinstance(session.failure, ClientFault):
                    async for event in self._last_captions():
                        yield event
                raise session.failure
            now = loop.time()
            if now + EARLY >= next_ack or session.written:
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

    def new_events(self) -> Sequence[Event]:
        """The events since the last call."""
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
        """The captions of the session's audio, up to the last final. Raises ``Internal`` if a final is late."""
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
                for event in self.new_events():
                    yield event
                if (still := pending.awaited(session.track)) < awaited:
                    awaited, deadline = still, loop.time() + timeout
                elif not happened:
                    raise Internal("the last captions are late; they will be in the room's transcript")
        finally:
            settled.cancel()
        for event in self.new_events():
            yield event

    def dismiss(self, reason: Refusal) -> None:
        """Make this connection release its session for this reason."""
        self._feed.dismiss(reason)

    async def dismissal(self) -> Refusal:
        """Wait until this connection has to release its session, and return the reason."""
        refusal = await self._feed.dismissal()
        if isinstance(refusal, ShuttingDown) and self._ended and not self._waits_for_finals():
            await asyncio.Future()  # never returns: `Finished` is on its way
        return refusal

    def _waits_for_finals(self) -> bool:
        return not self.session.written or self._context.pending.waits_for(self.session.track)

    async def lost(self, code: int) -> None:
        """Handle a connection that closed with ``code`` or was lost. For a while the session can be resumed."""
        await self._context.sessions.lost(self.session, self._feed, code)

    async def refused(self, refusal: Refusal) -> None:
        """Handle a refusal that was sent to the publisher: end the session, unless it can be resumed."""
        if isinstance(refusal, RESUMABLE) or (self._feed.dismissed and not isinstance(refusal, Unauthorized)):
            await self._context.sessions.lost(self.session, self._feed)
        else:
            await self.session.finish()
            await self._context.sessions.end(self.session)

    def close(self) -> None:
        """Free the connection's resources."""
        self._room.unfollow(self._viewer)
