"""``GET /v1/rooms/{room}/captions``: a viewer's messages as server-sent events (HTML Living Standard, 9.2)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Send

from captions.errors import Refusal, SlowConsumer
from captions.messages import Live, error_message
from captions.ports.log import Bounds
from streamer.gateway import Gateway
from streamer.rooms.event import server_sent
from streamer.web.credentials import Admitted, caller_of
from streamer.web.openapi import Responses
from streamer.web.query import ViewQuery
from streamer.web.view import TOO_SLOW, admit, counted, open_room

HEARTBEAT = 15.0
"""Seconds between comments on an idle event stream. Proxies close connections that are silent for longer."""

Events = AsyncGenerator[bytes, None]

_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$", "description": "The `seq` of a final or track state."},
        "event": {
            "enum": ["caption", "track", "deleted", "gap", "live", "error"],
            "description": "The message's `type`.",
        },
        "data": {"type": "string", "contentMediaType": "application/json", "description": "The message."},
    },
}
RESPONSES: Responses = {
    200: {
        "description": "The messages that docs/protocol.md describes under View, one per event, without end.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}


class EventStream(StreamingResponse):
    """An event stream that ends if its reader takes nothing for ``send_timeout`` seconds."""

    def __init__(self, events: Events, send_timeout: float) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._events = events
        self._send_timeout = send_timeout

    async def stream_response(self, send: Send) -> None:
        """Send the events. Closes the generator before returning, whatever ends the stream."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._send_timeout):
                await send(message)

        async with aclosing(self._events):
            try:
                await super().stream_response(send_in_time)
            except TimeoutError:
                with suppress(StopAsyncIteration):
                    await self._events.athrow(SlowConsumer(TOO_SLOW))


async def view_events(request: Request, gateway: Gateway, room_name: str) -> Response:
    """Serve one reader of an event stream. Raises the ``Refusal`` that the reader gets instead."""
    admission, query = await admit(request, gateway, room_name, request.headers.get("last-event-id"))
    bounds = await open_room(gateway, admission.room)
    return EventStream(_events(request, gateway, admission, query, bounds), gateway.settings.send_timeout)


async def _events(request: Request, gateway: Gateway, admission: Admitted, query: ViewQuery, bounds: Bounds) -> Events:
    caller = caller_of(request, gateway, admission.principal)
    viewer = gateway.viewer(tracks=query.track, partials=query.partials)
    room = gateway.hub.room(admission.room)
    with counted(request, gateway, admission.principal, room, viewer) as outcome, ExitStack() as held:
        try:
            held.enter_context(gateway.limits.viewing(caller))  # others may have connected since the answer began
            room.join(viewer)
            async with gateway.history_turns.turn():
                replay = room.replay(viewer, bounds, query.after, query.history)
                if replay.gap is not None:
                    yield server_sent("gap", replay.gap.encode().encode())
                if replay.deleted is not None:
                    yield replay.deleted.sse
                for block in room.blocks_of(replay):
                    yield b"".join(server_sent(event.type, event.json, event.seq) for event in block.events)
                    await asyncio.sleep(0)  # publishers and live viewers go first
            for encoded in room.partials_of(replay):
                yield encoded.sse
            yield server_sent("live", Live().encode().encode())
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
            yield server_sent("error", error_message(refusal).encode().encode())
