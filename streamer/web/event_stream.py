"""``GET /v1/rooms/{room}/captions``: a viewer's messages as server-sent events (HTML Living Standard, 9.2)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from captions.errors import Refusal, SlowConsumer
from captions.messages import Live, error_message
from captions.ports.log import Bounds
from streamer.gateway import Gateway
from streamer.rooms.event import server_sent
from streamer.rooms.replaying import blocks_in, replay_in
from streamer.rooms.room import Replay
from streamer.web.credentials import Admitted, caller_of
from streamer.web.openapi import Responses
from streamer.web.query import ViewQuery
from streamer.web.view import TOO_SLOW, Visit, admit, counted, open_room

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
    """A viewer's event stream, counted while it lasts.

    It ends if its reader takes nothing for ``send_timeout``, or its key is revoked.
    """

    def __init__(
        self, request: Request, gateway: Gateway, admission: Admitted, query: ViewQuery, bounds: Bounds
    ) -> None:
        self._request = request
        self._gateway = gateway
        self._principal = admission.principal
        self._query = query
        self._bounds = bounds
        self._room = gateway.hub.room(admission.room)
        self._viewer = gateway.viewer(tracks=query.track, partials=query.partials)
        self._visit: Visit
        self._events = self._messages()
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Connection": "close"}
        super().__init__(self._events, media_type="text/event-stream", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises the ``Refusal`` that the reader gets instead, as others may have connected meanwhile."""
        with (
            self._gateway.limits.viewing(caller_of(self._request, self._gateway, self._principal)),
            counted(self._request, self._gateway, self._principal, self._room, self._viewer) as self._visit,
        ):
            self._room.join(self._viewer)
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the events. Closes the generator before returning, whatever ends the stream."""
        revoked = self._visit.revoked
        current: asyncio.Timeout | None = None

        async def send_in_time(message: Message) -> None:
            nonlocal current
            try:
                async with asyncio.timeout(self._gateway.settings.send_timeout) as current:
                    await send(message)
            finally:
                current = None

        def stop_sending(_: object) -> None:
            if current is not None:
                current.reschedule(asyncio.get_running_loop().time())

        async with aclosing(self._events):
            revoked.add_done_callback(stop_sending)
            try:
                await super().stream_response(send_in_time)
            except TimeoutError:
                refusal = revoked.exception() if revoked.done() else None
                with suppress(StopAsyncIteration, TimeoutError, Refusal):  # the last message may not have been taken
                    last = await self._events.athrow(refusal or SlowConsumer(TOO_SLOW))
                    if refusal is not None:
                        await send_in_time({"type": "http.response.body", "body": last})

    async def _messages(self) -> Events:
        room = self._room
        try:
            with self._gateway.history_turns.turn() as turn:
                replay = await replay_in(turn, self._replay)
                if replay.gap is not None:
                    yield server_sent("gap", replay.gap.encode().encode())
                if replay.deleted is not None:
                    yield replay.deleted.sse
                async with aclosing(blocks_in(turn, room, replay)) as blocks:
                    async for block in blocks:
                        self._check()
                        yield b"".join(server_sent(event.type, event.json, event.seq) for event in block.events)
            for encoded in room.partials_of(replay):
                self._check()
                yield encoded.sse
            yield server_sent("live", Live().encode().encode())
            while True:
                yield await self._next()
        except Refusal as refusal:
            self._visit.outcome = refusal.code
            yield server_sent("error", error_message(refusal).encode().encode())

    def _check(self) -> None:
        if self._visit.revoked.done():
            self._visit.revoked.result()

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(HEARTBEAT):
                return (await self._viewer.wait()).sse
        except TimeoutError:
            return b": still here\n\n"

    def _replay(self) -> Replay:
        return self._room.replay(self._viewer, self._bounds, self._query.after, self._query.history)


async def view_events(request: Request, gateway: Gateway, room_name: str) -> Response:
    """Serve one reader of an event stream. Raises the ``Refusal`` that the reader gets instead."""
    admission, query = await admit(request, gateway, room_name, request.headers.get("last-event-id"))
    bounds = await open_room(gateway, admission.room)
    return EventStream(request, gateway, admission, query, bounds)
