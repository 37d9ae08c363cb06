"""A publisher's WebSocket, whatever protocol it speaks."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from math import inf

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.errors import Internal, Refusal, TooLarge
from captions.publication import Event
from streamer.gateway import Gateway
from streamer.protocols.native import LARGEST_FRAME
from streamer.protocols.protocol import Frame, PublisherProtocol
from streamer.sessions.publication import IdleTimeout, Publication
from streamer.web.credentials import token_of
from streamer.web.query import room_of
from streamer.web.refusals import accept, refuse, send

logger = structlog.get_logger(__name__)


async def publish(websocket: WebSocket, gateway: Gateway, room_name: str, protocol: PublisherProtocol) -> None:
    """Serve one publisher of a room, who speaks ``protocol``, from its request to its close."""
    outcome = "away"
    try:
        gateway.admit()
        room = room_of(room_name)
        principal = await gateway.authenticator.authenticate(token_of(websocket))
        query = websocket.query_params
        options = protocol.options({name: query.getlist(name) for name in query})
        publication = await gateway.publish(room, options, principal)
    except Refusal as refusal:
        gateway.probe.refused(refusal.code)
        await refuse(websocket, refusal)
        return
    except Exception:
        logger.exception("publish_failed", room=room_name)
        gateway.probe.refused(Internal.code)
        await refuse(websocket, Internal("the session could not be opened, which is logged here; try again"))
        return
    session = publication.session
    connection = Connection(websocket, gateway, protocol, publication)
    with structlog.contextvars.bound_contextvars(session=session.id, **session.track.describe()):
        logger.info("publisher_connected", resumed=options.session is not None)
        try:
            outcome = await connection.serve()
        finally:
            gateway.probe.session_closed(outcome, session.tenant)
            logger.info("publisher_left", outcome=outcome, seconds=session.seconds)


class Connection:
    """A socket between a publisher, who speaks ``protocol``, and its publication."""

    def __init__(
        self, websocket: WebSocket, gateway: Gateway, protocol: PublisherProtocol, publication: Publication
    ) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._protocol = protocol
        self._publication = publication
        self._silent_since = inf

    async def serve(self) -> str:
        """Serve until the connection ends; ``done``, ``away`` or the code of a refusal."""
        publication = self._publication
        try:
            await accept(self._websocket)
            await self._send(await publication.begin())
            return await self._until_one_ends()
        except WebSocketDisconnect as left:
            await publication.lost(left.code)
            return "away"
        except Refusal as refusal:
            await self._part(refusal)
            return refusal.code
        except Exception:
            logger.exception("publisher_failed")
            session = publication.session.id
            await self._part(Internal(f"something went wrong here; resume session {session}, under which it is logged"))
            return Internal.code
        finally:
            publication.close()

    async def _until_one_ends(self) -> str:
        jobs = {
            "send": self._send_or_wait(),
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
        with suppress(WebSocketDisconnect, RuntimeError):  # it may be gone already
            frames, code, reason = self._protocol.refuse(refusal)
            await self._send_frames(frames)
            await self._websocket.close(code, reason)
        await self._publication.refused(refusal)

    async def _watch_dismissal(self) -> None:
        """Raise why another connection or gateway goes on with the session, once that is so."""
        refusal = await self._publication.dismissal()
        for event in self._publication.waiting():
            await self._send(event)
        raise refusal

    async def _watch_silence(self) -> None:
        """Raise ``IdleTimeout`` once nothing has arrived for ``idle_timeout``. One timer, not one for each frame."""
        loop, longest = asyncio.get_running_loop(), self._gateway.settings.idle_timeout
        while (left := self._silent_since + longest - loop.time()) > 0:  # noqa: ASYNC110 - no event each frame
            await asyncio.sleep(min(left, longest))
        raise IdleTimeout("neither audio nor keepalive came for a while; send keepalive while muted")

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        more = True
        while more:
            self._silent_since = loop.time()
            message = await self._websocket.receive()
            self._silent_since = inf  # while it is dealt with nothing is read
            if message["type"] == "websocket.disconnect":
                raise gone(message.get("code", 1006))
            self._gateway.probe.socket_message("publish", "in")
            frame: Frame = data if (data := message.get("bytes")) is not None else message["text"]
            for command in self._protocol.receive(frame):
                more = more and await self._publication.execute(command)
        await self._until_it_leaves()

    async def _until_it_leaves(self) -> None:
        """Nothing more is read of the publisher, except that it leaves before its captions are out."""
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass
        raise WebSocketDisconnect(1006)

    async def _send_or_wait(self) -> None:
        """Send; where the connection is closed meanwhile leave it to the receiver, who is told why."""
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


def gone(code: int) -> Exception:
    """What a connection's close with this code means: 1009 is how the server answers a frame larger than it reads."""
    if code == TooLarge.close_code:
        return TooLarge(f"a frame larger than this server reads; send at most {LARGEST_FRAME} bytes at a time")
    return WebSocketDisconnect(code)
