"""Viewing a room's captions, over a WebSocket or as server-sent events: the same content."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.errors import Internal, Refusal, SlowConsumer
from captions.messages import Live, error_message
from captions.ports.log import Bounds
from streamer.auth import authorize
from streamer.gateway import Gateway
from streamer.query import ViewQuery, room_name, view_query
from streamer.refusals import refuse
from streamer.rooms.event import server_sent
from streamer.rooms.room import Past, Room
from streamer.rooms.viewer import Viewer

logger = structlog.get_logger(__name__)

HEARTBEAT = 15.0
"""Seconds between comments on an idle event stream: proxies cut what is silent for longer."""


def _admitted(connection: WebSocket | Request, gateway: Gateway, room: str, last_event_id: str | None) -> ViewQuery:
    gateway.admit_viewer()
    room_name(room)
    authorize(connection, gateway.settings.grants, "view", room)
    return view_query(connection.query_params, last_event_id)


@contextmanager
def _counted(gateway: Gateway, room: Room, viewer: Viewer, kind: str) -> Iterator[list[str]]:
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


async def view(websocket: WebSocket, gateway: Gateway, room_id: str) -> None:
    """``WS /v1/rooms/{room}/captions``."""
    try:
        query = _admitted(websocket, gateway, room_id, None)
    except Refusal as refusal:
        gateway.probe.refused(refusal.code)
        await refuse(websocket, refusal)
        return
    await gateway.hub.open(room_id)
    viewer = gateway.viewer(query)
    await websocket.accept()
    bounds = await gateway.hub.bounds(room_id)
    room = gateway.hub.room(room_id)
    with _counted(gateway, room, viewer, "ws") as outcome:
        past = room.join(viewer, query.after, bounds)
        sending = asyncio.create_task(_send(websocket, gateway, viewer, past))
        listening = asyncio.create_task(_listen(websocket))
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
            logger.exception("viewer_failed", room=room_id)
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


async def _send(websocket: WebSocket, gateway: Gateway, viewer: Viewer, past: Past) -> None:
    async def send(text: str) -> None:
        try:
            async with asyncio.timeout(gateway.settings.send_timeout):
                await websocket.send_text(text)
        except TimeoutError as error:
            raise SlowConsumer("you read nothing; reconnect with after= the last seq you saw") from error

    if past.gap is not None:
        await send(past.gap.encode())
    for encoded in past.events:
        await send(encoded.json)
    await send(Live().encode())
    while True:
        for encoded in await viewer.wait():
            await send(encoded.json)


async def _listen(websocket: WebSocket) -> None:
    """Viewers have nothing to say: what they send is passed over, until they leave."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def view_events(request: Request, gateway: Gateway, room_id: str) -> Response:
    """``GET /v1/rooms/{room}/captions``, as server-sent events."""
    query = _admitted(request, gateway, room_id, request.headers.get("last-event-id"))
    await gateway.hub.open(room_id)
    bounds = await gateway.hub.bounds(room_id)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    events = _events(gateway, room_id, query, bounds)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(gateway: Gateway, room_id: str, query: ViewQuery, bounds: Bounds) -> AsyncIterator[bytes]:
    viewer = gateway.viewer(query)
    room = gateway.hub.room(room_id)
    with _counted(gateway, room, viewer, "sse") as outcome:
        past = room.join(viewer, query.after, bounds)
        if past.gap is not None:
            yield server_sent("gap", past.gap.encode())
        for encoded in past.events:
            yield encoded.sse
        yield server_sent("live", Live().encode())
        try:
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        waiting = await viewer.wait()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                for encoded in waiting:
                    yield encoded.sse
        except Refusal as refusal:
            outcome.append(refusal.code)
            yield server_sent("error", error_message(refusal).encode())
