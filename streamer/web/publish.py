"""``WS /v1/rooms/{room}/publish``: a publisher's WebSocket, independent of the protocol in its frames."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from math import inf

import structlog
from starlette.requests import Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.access import Right
from captions.errors import Internal, Refusal, TooLarge
from captions.publication import Event
from streamer.gateway import Gateway
from streamer.protocols.protocol import Frame, PublisherProtocol
from streamer.sessions.publication import IdleTimeout, Publication
from streamer.web.credentials import admitted, audit, caller_of
from streamer.web.refusals import accept, refuse, send

logger = structlog.get_logger(__name__)


async def publish(websocket: WebSocket, gateway: Gateway, room_name: str, protocol: PublisherProtocol) -> None:
    """Serve one publisher of a room from its request to its close. ``protocol`` is the protocol of its frames."""
    outcome = "away"
    try:
        gateway.admit()
        principal, room = await admitted(websocket, gateway, Right.PUBLISH, room_name)
        query = websocket.query_params
        options = protocol.options({name: query.getlist(name) for name in query})
        publication = await gateway.publish(room, options, caller_of(websocket, gateway, principal))
    except Refusal as refusal:
        gateway.probe.refused(refusal.code)
        await refuse(websocket, refusal)
        return
    except Exception:
        logger.exception("publish_failed", room=room_name)
        gateway.probe.refused(Internal.code)
        await refuse(websocket, Internal("the server failed to open the session and logged the cause; try again"))
        return
    session = publication.session
    connection = Connection(websocket, gateway, protocol, publication)
    with (
        gateway.clients.connected(principal, publication.dismiss),
        structlog.contextvars.bound_contextvars(session=session.id, **session.track.describe()),
    ):
        logger.info("publisher_connected", resumed=options.session is not None)
        about = {"track": session.track.name, "session": session.id}
        resumed = options.session is not None
        audit(
            websocket, gateway, "publish.connected", principal, room,
            **about, resumed=resumed, takeover=options.takeover,
        )  # fmt: skip
        try:
            outcome = await connection.serve()
        finally:
            gateway.probe.session_closed(outcome, session.track.room.tenant)
            logger.info("publisher_left", outcome=outcome, seconds=session.seconds)
            seconds = round(session.seconds, 3)
            audit(websocket, gateway, "publish.left", principal, room, outcome=outcome, **about, seconds=seconds)


async def check(request: Request, gateway: Gateway, room_name: str) -> None:
    """Check that a publisher may begin a session in the room, as far as that depends on who it is.

    Raises the ``Refusal`` that it gets otherwise.
    """
    principal, _ = await admitted(request, gateway, Right.PUBLISH, room_name)
    gateway.limits.check_quota(caller_of(request, gateway, principal))


class Connection:
    """Connects a publisher's WebSocket, through ``protocol``, to its publication."""

    def __init__(
        self, websocket: WebSocket, gateway: Gateway, protocol: PublisherProtocol, publication: Publication
    ) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._protocol = protocol
        self._publication = publication
        self._silent_since = inf

    async def serve(self) -> str:
        """Serve until the connection ends. Returns the outcome: ``done``, ``away`` or the code of a refusal."""
        publication = self._publication
        try:
            await accept(self._websocket)
            await self._send(await publication.begin())
            return await self._run()
        except WebSocketDisconnect as left:
            await publication.lost(left.code)
            return "away"
        except Refusal as refusal:
            await self._refuse(refusal)
            return refusal.code
        except Exception:
            logger.exception("publisher_failed")
            session = publication.session.id
            await self._refuse(Internal(f"the server failed and logged the cause; resume session {session}"))
            return Internal.code
        finally:
            publication.close()

    async def _run(self) -> str:
        """Send, receive and watch at the same time, until one of these ends."""
        jobs = {
            "send": self._send_events(),
            "receive": self._receive(),
            "silence": self._watch_silence(),
            "dismissal": self._watch_dismissal(),
        }
        name = self._publication.session.id
        tasks = [asyncio.create_task(job, name=f"{job_name} {name}") for job_name, job in jobs.items()]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # if sending ended, the close that it caused in other tasks is no error
                    break
            return "done"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _refuse(self, refusal: Refusal) -> None:
        """Send the refusal and close the connection. Ends the session if it cannot be resumed."""
        self._gateway.probe.refused(refusal.code)
        with suppress(WebSocketDisconnect, RuntimeError):  # the publisher may have left already
            frames, code, reason = self._protocol.refuse(refusal)
            await self._send_frames(frames)
            await self._websocket.close(code, reason)
        await self._publication.refused(refusal)

    async def _watch_dismissal(self) -> None:
        """Wait until this connection has to release the session, and raise the reason."""
        refusal = await self._publication.dismissal()
        for event in self._publication.new_events():
            await self._send(event)
        raise refusal

    async def _watch_silence(self) -> None:
        """Raise ``IdleTimeout`` once nothing has arrived for ``idle_timeout``. One timer, not one for each frame."""
        loop, longest = asyncio.get_running_loop(), self._gateway.settings.idle_timeout
        while (left := self._silent_since + longest - loop.time()) > 0:  # noqa: ASYNC110 - an event would cost time
            await asyncio.sleep(min(left, longest))
        raise IdleTimeout(f"neither audio nor keepalive arrived for {longest:g} s; send keepalive while muted")

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        more = True
        while more:
            self._silent_since = loop.time()
            message = await self._websocket.receive()
            self._silent_since = inf  # nothing is read while the message is handled
            if message["type"] == "websocket.disconnect":
                raise close_error(message.get("code", 1006), self._protocol.largest_frame)
            self._gateway.probe.socket_message("publish", "in")
            frame: Frame = data if (data := message.get("bytes")) is not None else message["text"]
            for command in self._protocol.receive(frame):
                more = more and await self._publication.execute(command)
        await self._wait_for_disconnect()

    async def _wait_for_disconnect(self) -> None:
        """Ignore messages, and raise ``WebSocketDisconnect`` when the publisher leaves before its last captions."""
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass
        raise WebSocketDisconnect(1006)

    async def _send_events(self) -> None:
        """Send all events, then close.

        If the publisher closes the connection meanwhile, wait: the receiving task learns the close code.
        """
        try:
            async for event in self._publication.events():
                await self._send(event)
            frames, code, reason = self._protocol.finish()
            await self._send_frames(frames)
            await self._websocket.close(code, reason or None)
        except WebSocketDisconnect:
            await asyncio.Future()

    async def _send(self, event: Event) -> None:
        await self._send_frames(self._protocol.send(event))

    async def _send_frames(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            await send(self._websocket, frame)
            self._gateway.probe.socket_message("publish", "out")


def close_error(code: int, largest_frame: int) -> Exception:
    """The exception for a connection that was closed with this code.

    With code 1009 the server has closed it, because of a frame that is larger than it reads.
    """
    if code == TooLarge.close_code:
        return TooLarge(f"the frame is larger than this server reads; send at most {largest_frame} bytes per frame")
    return WebSocketDisconnect(code)
