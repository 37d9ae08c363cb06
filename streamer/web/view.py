"""``WS /v1/rooms/{room}/captions``; and what it has in common with server-sent events."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import structlog
from starlette.requests import Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.access import Right
from captions.errors import Internal, LogError, Refusal, SlowConsumer
from captions.messages import Live
from captions.ports.log import Bounds
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.rooms.frames import text_frame
from streamer.rooms.room import Replay, Room
from streamer.rooms.viewer import Viewer
from streamer.web.credentials import token_of
from streamer.web.frames import check_server, send_frames
from streamer.web.query import ViewQuery, room_of, view_query
from streamer.web.refusals import accept, refuse

logger = structlog.get_logger(__name__)

LIVE = text_frame(Live().encode().encode())
TOO_SLOW = "you read nothing; reconnect with after= the last seq you saw"


async def admitted(
    connection: WebSocket | Request, gateway: Gateway, room: RoomId, last_event_id: str | None
) -> ViewQuery:
    """What a viewer asks for, if it may. Raises the ``Refusal`` it gets otherwise."""
    gateway.admit_viewer()
    principal = await gateway.authenticator.authenticate(token_of(connection))
    principal.require(Right.VIEW, room)
    return view_query(connection.query_params, last_event_id)


async def opened(gateway: Gateway, room: RoomId) -> Bounds:
    """Read the room, and say what the log retains of its partition. Raises ``Internal`` where it cannot be read."""
    try:
        await gateway.hub.open(room)
        return await gateway.hub.bounds(room)
    except LogError as error:
        logger.exception("view_failed", room=room.key)
        raise Internal("the room could not be opened, which is logged here; try again") from error


@contextmanager
def counted(gateway: Gateway, room: Room, viewer: Viewer, kind: str) -> Iterator[list[str]]:
    """Count a viewer; what is appended to the list is the outcome."""
    outcome: list[str] = []
    gateway.viewers += 1
    gateway.probe.viewer_opened(kind)
    try:
        yield outcome
    finally:
        room.leave(viewer)
        gateway.viewers -= 1
        gateway.probe.viewer_closed(kind, outcome[-1] if outcome else "left")


async def view(websocket: WebSocket, gateway: Gateway, room_name: str) -> None:
    """``WS /v1/rooms/{room}/captions``."""
    check_server(websocket)
    try:
        room = room_of(room_name)
        query = await admitted(websocket, gateway, room, None)
        bounds = await opened(gateway, room)
    except Refusal as refusal:
        gateway.probe.refused(refusal.code)
        await refuse(websocket, refusal)
        return
    with suppress(WebSocketDisconnect):  # gone before it was let in
        await accept(websocket)
        await _serve(websocket, gateway, query, gateway.hub.room(room), bounds)


async def _serve(websocket: WebSocket, gateway: Gateway, query: ViewQuery, room: Room, bounds: Bounds) -> None:
    viewer = gateway.viewer(tracks=query.track, partials=query.partials)
    with counted(gateway, room, viewer, "ws") as outcome:
        room.join(viewer)
        past_of = partial(room.replay, viewer, bounds, query.after, query.history)
        sending = asyncio.create_task(_send(websocket, gateway, viewer, past_of))
        listening = asyncio.create_task(_listen(websocket, gateway))
        try:
            done, _ = await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            pass
        except Refusal as refusal:
            outcome.append(refusal.code)
            await _let_go(websocket, refusal)
        except Exception:
            logger.exception("viewer_failed", room=room.id.key)
            outcome.append(Internal.code)
            await _let_go(websocket, Internal("something went wrong here; reconnect with after= the last seq you saw"))
        finally:
            sending.cancel()
            listening.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)


async def _let_go(websocket: WebSocket, refusal: Refusal) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):  # it may be gone, or read nothing
        async with asyncio.timeout(1):
            await refuse(websocket, refusal)


async def _send(websocket: WebSocket, gateway: Gateway, viewer: Viewer, past_of: Callable[[], Replay]) -> None:
    async def send(frames: bytes, messages: int = 1) -> None:
        try:
            async with asyncio.timeout(gateway.settings.send_timeout):
                await send_frames(websocket, frames)
            gateway.probe.socket_message("view", "out", messages)
        except TimeoutError as error:
            raise SlowConsumer(TOO_SLOW) from error

    async with gateway.history_turns.turn():
        past = past_of()
        if past.gap is not None:
            await send(text_frame(past.gap.encode().encode()))
        for block in past.blocks:
            await send(block.frames, len(block.events))
            await asyncio.sleep(0)  # who speaks and who is live comes first
    for encoded in past.partials:
        await send(encoded.frame)
    await send(LIVE)
    while True:
        for encoded in await viewer.wait():
            await send(encoded.frame)


async def _listen(websocket: WebSocket, gateway: Gateway) -> None:
    """Viewers have nothing to say: what they send is passed over, until they leave."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        gateway.probe.socket_message("view", "in")
