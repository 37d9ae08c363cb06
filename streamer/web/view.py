"""``WS /v1/rooms/{room}/captions``, and the functions that it shares with server-sent events."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Never

import structlog
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.access import Principal, Right
from captions.errors import BadRequest, Internal, LogError, Refusal, SlowConsumer
from captions.messages import Live
from captions.ports.log import Bounds
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.rooms.frames import text_frame
from streamer.rooms.replaying import blocks_in, replay_in
from streamer.rooms.room import Replay, Room
from streamer.rooms.viewer import Viewer
from streamer.web.credentials import Admitted, admitted, audit, caller_of
from streamer.web.frames import ABORT, check_server, send_frames
from streamer.web.query import ViewQuery, view_query
from streamer.web.refusals import accept, refuse

logger = structlog.get_logger(__name__)

LIVE = text_frame(Live().encode().encode())
LARGEST_MESSAGE_BYTES = 4096
"""Viewers have nothing to say, and the server holds a message until it is complete."""

MOST_MESSAGES = 100
"""Messages in ``MESSAGE_WINDOW`` seconds that are ignored, for clients that keep a connection alive with them."""
MESSAGE_WINDOW = 10.0

LAST_WORDS = 1.0
"""Seconds for which a viewer whose key is revoked can learn why. Then it is disconnected, whatever it has not read."""

TOO_SLOW = "this viewer reads nothing; reconnect with after= the last seq it received"


async def admit(
    connection: WebSocket | Request, gateway: Gateway, room_name: str, last_event_id: str | None
) -> tuple[Admitted, ViewQuery]:
    """Check that a viewer may read the room, and parse its query. Raises the ``Refusal`` that it gets otherwise."""
    gateway.admit_viewer()
    admission = await admitted(connection, gateway, Right.VIEW, room_name)
    gateway.limits.check_viewer(caller_of(connection, gateway, admission.principal))
    return admission, view_query(connection.query_params, last_event_id)


async def open_room(gateway: Gateway, room: RoomId) -> Bounds:
    """Read the room, and return the bounds of its partition. Raises ``Internal`` if the log cannot be read."""
    try:
        await gateway.hub.open(room)
        return await gateway.hub.bounds(room)
    except LogError as error:
        logger.exception("view_failed", room=room.key)
        raise Internal("the server failed to read the room and logged the cause; try again") from error


def _revocation() -> asyncio.Future[Never]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class Visit:
    """A viewer's stay. ``outcome`` is for its server to set; ``revoked`` raises a refusal once its key is revoked."""

    outcome: str = "left"
    revoked: asyncio.Future[Never] = field(default_factory=_revocation)


@contextmanager
def counted(
    connection: HTTPConnection, gateway: Gateway, principal: Principal, room: Room, viewer: Viewer
) -> Iterator[Visit]:
    """Count a viewer while the context lasts. Raises ``ShuttingDown`` or ``TooMany``.

    If its key is revoked, its queue ends, and so does the connection ``LAST_WORDS`` later.
    """
    visit = Visit()
    kind = "ws" if connection.scope["type"] == "websocket" else "sse"

    def end(refusal: Refusal) -> None:
        if visit.revoked.done():
            return
        viewer.end(refusal)
        visit.outcome = refusal.code
        visit.revoked.set_exception(refusal)
        visit.revoked.exception()  # nobody may come to wait for it
        if (extension := connection.scope.get("extensions", {}).get(ABORT)) is not None:
            asyncio.get_running_loop().call_later(LAST_WORDS, extension["abort"])

    gateway.admit_viewer()  # once more: others may have come since
    gateway.viewers += 1
    gateway.probe.viewer_opened(kind)
    audit(connection, gateway, "view.connected", principal, room.id)
    try:
        with gateway.clients.connected(principal, end):
            yield visit
    finally:
        room.leave(viewer)
        gateway.viewers -= 1
        gateway.probe.viewer_closed(kind, visit.outcome)
        audit(connection, gateway, "view.left", principal, room.id, outcome=visit.outcome)


async def view(websocket: WebSocket, gateway: Gateway, room_name: str) -> None:
    """``WS /v1/rooms/{room}/captions``: serve one viewer from its request to its close."""
    check_server(websocket)
    try:
        admission, query = await admit(websocket, gateway, room_name, None)
        caller = caller_of(websocket, gateway, admission.principal)
        with gateway.limits.viewing(caller):
            bounds = await open_room(gateway, admission.room)
            room = gateway.hub.room(admission.room)
            viewer = gateway.viewer(tracks=query.track, partials=query.partials)
            with (
                counted(websocket, gateway, admission.principal, room, viewer) as visit,
                suppress(WebSocketDisconnect),  # the client may leave before the connection is accepted
            ):
                await accept(websocket, LARGEST_MESSAGE_BYTES)
                room.join(viewer)
                replay = partial(room.replay, viewer, bounds, query.after, query.history)
                sending = _send(websocket, gateway, room, viewer, replay)
                await _serve(websocket, room, visit, sending, _receive(websocket, gateway, admission))
    except Refusal as refusal:
        gateway.probe.refused(refusal.code)
        await refuse(websocket, refusal)


async def _serve(
    websocket: WebSocket,
    room: Room,
    visit: Visit,
    send: Coroutine[None, None, None],
    receive: Coroutine[None, None, None],
) -> None:
    sending, receiving = asyncio.create_task(send), asyncio.create_task(receive)
    jobs: tuple[asyncio.Future[Any], ...] = (visit.revoked, sending, receiving)
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        for job in jobs:
            if job.done():
                job.result()
    except WebSocketDisconnect:
        pass
    except Refusal as refusal:
        visit.outcome = refusal.code
        sending.cancel()
        await _disconnect(websocket, refusal)
    except Exception:
        logger.exception("viewer_failed", room=room.id.key)
        visit.outcome = Internal.code
        failure = Internal("the server failed and logged the cause; reconnect with after= the last seq received")
        await _disconnect(websocket, failure)
    finally:
        sending.cancel()
        receiving.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)


async def _disconnect(websocket: WebSocket, refusal: Refusal) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):  # the client may have left, or may not read
        async with asyncio.timeout(1):
            await refuse(websocket, refusal)


async def _send(
    websocket: WebSocket, gateway: Gateway, room: Room, viewer: Viewer, replay_of: Callable[[], Replay]
) -> None:
    async def send(frames: bytes, messages: int = 1) -> None:
        try:
            async with asyncio.timeout(gateway.settings.send_timeout):
                await send_frames(websocket, frames)
            gateway.probe.socket_message("view", "out", messages)
        except TimeoutError as error:
            raise SlowConsumer(TOO_SLOW) from error

    with gateway.history_turns.turn() as turn:
        replay = await replay_in(turn, replay_of)
        if replay.gap is not None:
            await send(text_frame(replay.gap.encode().encode()))
        if replay.deleted is not None:
            await send(replay.deleted.frame)
        async with aclosing(blocks_in(turn, room, replay)) as blocks:
            async for block in blocks:
                await send(block.frames, len(block.events))
    for encoded in room.partials_of(replay):
        await send(encoded.frame)
    await send(LIVE)
    while True:
        await send((await viewer.wait()).frame)


async def _receive(websocket: WebSocket, gateway: Gateway, admission: Admitted) -> None:
    """Ignore messages from the viewer until it disconnects.

    Raises ``TooMany`` if they come faster than a limit of the viewer's, and ``BadRequest`` if anybody's would be.
    """
    loop = asyncio.get_running_loop()
    meter = gateway.limits.messages(caller_of(websocket, gateway, admission.principal))
    window_ends, received = 0.0, 0
    while (await websocket.receive())["type"] != "websocket.disconnect":
        gateway.probe.socket_message("view", "in")
        meter.command()
        if loop.time() >= window_ends:
            window_ends, received = loop.time() + MESSAGE_WINDOW, 0
        received += 1
        if received > MOST_MESSAGES:
            most = f"{MOST_MESSAGES} messages in {MESSAGE_WINDOW:.0f} s"
            raise BadRequest(f"a viewer may send {most}, and need send none")
