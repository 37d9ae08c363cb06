"""``WS /v1/rooms/{room}/publish``: one publisher's connection."""

import asyncio
from contextlib import suppress
from math import inf

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.access import Right
from captions.errors import (
    BadRequest,
    ClientFault,
    Internal,
    Refusal,
    ShuttingDown,
    SlowConsumer,
    TakenOver,
    TooLarge,
    TrackBusy,
    UnsupportedAudio,
)
from captions.messages import (
    Ack,
    CaptionMessage,
    End,
    Finalize,
    Keepalive,
    Ready,
    WarningMessage,
    done,
    publisher_message,
)
from captions.track import RoomId
from streamer.alarm import Alarm
from streamer.gateway import Gateway
from streamer.sessions.session import Session
from streamer.settings import LARGEST_FRAME
from streamer.web.credentials import token_of
from streamer.web.query import ViewQuery, publish_query, room_name
from streamer.web.refusals import accept, refuse, say

logger = structlog.get_logger(__name__)

ACK_INTERVAL = 0.5
"""Seconds between acknowledgements while audio flows: the protocol promises one a second."""

FLOWS = 2.0
"""Seconds after a frame for which audio counts as flowing: frames may be a second apart."""


class Silent(BadRequest):
    """A publisher of which nothing was heard, not even a keepalive: it is taken for gone."""


RESUMABLE = (ShuttingDown, Internal, TrackBusy, SlowConsumer, Silent)
"""Refusals after which the session waits for its publisher to come back."""


async def publish(websocket: WebSocket, gateway: Gateway, room: str) -> None:
    """Serve one publisher from its request to its close."""
    outcome = "away"
    try:
        gateway.admit()
        room_name(room)
        principal = await gateway.authenticator.authenticate(token_of(websocket))
        principal.require(Right.PUBLISH, RoomId(room))
        query = publish_query(websocket.query_params)
        taken_over = asyncio.Event()
        session = await gateway.sessions.open(RoomId(room), query, taken_over, principal.tenant)
    except Refusal as refusal:
        gateway.probe.refused(refusal.code)
        await refuse(websocket, refusal)
        return
    except Exception:
        logger.exception("publish_failed", room=room)
        gateway.probe.refused(Internal.code)
        await refuse(websocket, Internal("the session could not be opened, which is logged here; try again"))
        return
    connection = Connection(websocket, gateway, session, taken_over)
    with structlog.contextvars.bound_contextvars(session=session.id, room=room, track=query.track):
        logger.info("publisher_connected", resumed=query.session is not None)
        try:
            outcome = await connection.serve()
        finally:
            gateway.probe.session_closed(outcome, session.tenant)
            logger.info("publisher_left", outcome=outcome, seconds=session.seconds)


class Connection:
    """One connection that feeds a session and hears of its captions."""

    def __init__(self, websocket: WebSocket, gateway: Gateway, session: Session, taken_over: asyncio.Event) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._session = session
        self._taken_over = taken_over
        self._viewer = gateway.viewer(ViewQuery(track=(session.track.name,)), session.wake)
        self._acknowledged = -1
        self._flows_until = -inf
        self._silent_since = inf
        self._ended = False

    async def serve(self) -> str:
        """Serve until the connection ends; ``done``, ``away`` or the code of a refusal."""
        session = self._session
        room = self._gateway.hub.room(session.track.room)
        try:
            await accept(self._websocket)
            offset = await session.resume()
            track = session.track
            ready = Ready(session=session.id, room=track.room.name, track=track.name, offset=offset)
            room.follow(self._viewer)
            await self._say(ready.encode())
            return await self._until_one_ends()
        except WebSocketDisconnect as left:
            await self._gateway.sessions.lost(session, self._taken_over, left.code)
            return "away"
        except Refusal as refusal:
            await self._part(refusal)
            return refusal.code
        except Exception:
            logger.exception("publisher_failed")
            await self._part(
                Internal(f"something went wrong here; resume session {session.id}, under which it is logged")
            )
            return Internal.code
        finally:
            room.unfollow(self._viewer)

    async def _say(self, text: str) -> None:
        await say(self._websocket, text)
        self._gateway.probe.socket_message("publish", "out")

    async def _until_one_ends(self) -> str:
        jobs = {
            "send": self._send_or_wait(),
            "receive": self._receive(),
            "silence": self._watch_silence(),
            "guard": self._guard(),
        }
        tasks = [asyncio.create_task(job, name=f"{name} {self._session.id}") for name, job in jobs.items()]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # sending alone ends well, and what its close brings about is no error
                    break
            return "done"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _part(self, refusal: Refusal) -> None:
        """Tell the publisher why, and end the session where it cannot go on."""
        self._gateway.probe.refused(refusal.code)
        session = self._session
        with suppress(WebSocketDisconnect, RuntimeError):  # it may be gone already
            await refuse(self._websocket, refusal)
        if isinstance(refusal, RESUMABLE) or self._taken_over.is_set():
            await self._gateway.sessions.lost(session, self._taken_over)
        else:
            await session.finish()
            await session.finished.wait()
            await self._gateway.sessions.end(session)

    async def _guard(self) -> None:
        """End the connection when another takes the session over, or when this server stops."""
        taken = asyncio.create_task(self._taken_over.wait())
        drained = asyncio.create_task(self._gateway.drained.wait())
        moved = asyncio.create_task(self._session.moved.wait())
        try:
            await asyncio.wait({taken, drained, moved}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (taken, drained, moved):
                task.cancel()
        if self._taken_over.is_set():
            if self._session.replaced:
                raise TakenOver("another publisher took this track over; its captions go on from there")
            raise TrackBusy("another connection resumed this session")
        if self._ended and not self._waits_for_finals():
            await asyncio.Future()  # its `done` is on the way
        await self._send_waiting()
        raise ShuttingDown

    def _waits_for_finals(self) -> bool:
        return not self._session.finished.is_set() or self._gateway.pending.waits_for(self._session.track)

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._silent_since = loop.time()
            message = await self._websocket.receive()
            self._silent_since = inf  # while it is dealt with nobody listens
            if message["type"] == "websocket.disconnect":
                raise gone(message.get("code", 1006))
            self._gateway.probe.socket_message("publish", "in")
            if self._taken_over.is_set():
                continue  # whoever resumed the session says this again
            if (data := message.get("bytes")) is not None:
                await self._audio(data)
            elif await self._command(message["text"]):
                await self._hear_out()

    async def _watch_silence(self) -> None:
        """Raise ``Silent`` once nothing came for too long: one timer now and then, instead of one for each frame."""
        loop, patience = asyncio.get_running_loop(), self._gateway.settings.idle_timeout
        while (left := self._silent_since + patience - loop.time()) > 0:  # noqa: ASYNC110 - no event each frame
            await asyncio.sleep(min(left, patience))
        raise Silent("neither audio nor keepalive came for a while; send keepalive while muted")

    async def _hear_out(self) -> None:
        """After ``end`` nothing more is heard, except that the publisher leaves before its captions are out."""
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass
        raise WebSocketDisconnect(1006)

    async def _audio(self, data: bytes) -> None:
        check_size(len(data))
        self._flows_until = asyncio.get_running_loop().time() + FLOWS
        try:
            await self._session.feed(data)
        except UnsupportedAudio:
            await self._hear_out()  # the sender says so, after the captions of what came before

    async def _command(self, text: str) -> bool:
        """Obey a text frame; True after ``end``."""
        check_size(len(text.encode()))
        match publisher_message(text):
            case Keepalive():
                self._session.muted()
            case Finalize():
                self._session.finalize("finalize")
            case End():
                if self._gateway.draining.is_set() and self._session.ending:
                    raise ShuttingDown  # bytes before it may have been passed over
                self._ended = True
                await self._session.finish()
                return True
        return False

    async def _send_or_wait(self) -> None:
        """Send; where the connection is closed meanwhile leave it to the receiver, who is told why."""
        try:
            await self._send()
        except WebSocketDisconnect:
            await asyncio.Future()

    async def _send(self) -> None:
        """Send what there is until, after ``end``, the last caption is out."""
        session = self._session
        loop = asyncio.get_running_loop()
        next_ack = loop.time()
        alarm = Alarm(session.wake)
        while True:
            session.wake.clear()
            await self._send_waiting()
            if session.failure is not None:
                if isinstance(session.failure, ClientFault):
                    await self._settle()
                raise session.failure
            now = loop.time()
            finished = session.finished.is_set()
            if now >= next_ack or finished:
                if now < self._flows_until or session.safe != self._acknowledged:
                    await self._send_ack()
                next_ack = now + ACK_INTERVAL
            if finished and self._ended:
                return await self._finish()
            alarm.within(next_ack - now)
            await session.wake.wait()

    async def _send_waiting(self) -> None:
        for warning in self._session.decoder.warnings.take_new():
            await self._say(WarningMessage(code=warning.code, message=warning.message).encode())
            self._gateway.probe.audio_warned(warning.code)
        for encoded in self._viewer.take():
            if isinstance(encoded.event, CaptionMessage):
                await self._say(encoded.json.decode())

    async def _send_ack(self) -> None:
        self._acknowledged = self._session.safe
        await self._say(Ack(offset=self._acknowledged).encode())

    async def _finish(self) -> None:
        """Wait for the last final, send it and ``done``."""
        session = self._session
        await self._settle()
        await self._gateway.sessions.end(session)
        await self._say(done(session.acknowledged, session.seconds, session.decoder.warnings.all).encode())
        await self._websocket.close(1000)

    async def _settle(self) -> None:
        """Send the captions of what was heard, to the last final."""
        session = self._session
        track, pending, loop = session.track, self._gateway.pending, asyncio.get_running_loop()
        settled = asyncio.create_task(pending.settled(track))
        try:
            awaited, deadline = (
                pending.awaited(track),
                loop.time() + self._gateway.settings.done_timeout,
            )
            while not settled.done():
                waking = asyncio.create_task(session.wake.wait())
                left = deadline - loop.time()
                happened, _ = await asyncio.wait({settled, waking}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                session.wake.clear()
                await self._send_waiting()
                if (still := pending.awaited(track)) < awaited:
                    awaited, deadline = still, loop.time() + self._gateway.settings.done_timeout
                elif not happened:
                    raise Internal("the last captions are late; they will be in the room's transcript")
        finally:
            settled.cancel()
        await self._send_waiting()


def gone(code: int) -> Exception:
    """What a connection's close with this code means: 1009 is how the server answers a frame larger than it reads."""
    if code == TooLarge.close_code:
        return TooLarge(f"a frame larger than this server reads; send at most {LARGEST_FRAME} bytes at a time")
    return WebSocketDisconnect(code)


def check_size(size: int) -> None:
    """Raise ``TooLarge`` where a frame of ``size`` bytes is more than the protocol allows."""
    if size > LARGEST_FRAME:
        raise TooLarge(f"a frame of {size} bytes; send at most {LARGEST_FRAME} at a time")
