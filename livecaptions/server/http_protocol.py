"""uvicorn's HTTP protocol with limits: on the head, the body, requests in a row, and WebSocket upgrades at a time."""

import asyncio
from http import HTTPStatus
from typing import cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from captions.connection_end import ConnectionEnd
from captions.errors import BadRequest, Refusal, TooLarge, TooMany
from captions.messages import error_message
from livecaptions.server.connections import Connection, Connections
from streamer.batched_callbacks import BatchedCallbacks
from streamer.web.frames import ABORT

LARGEST_HEAD = 32 * 1024
"""Bytes of a request line and its headers. Browsers and proxies send a tenth of it."""

MOST_HEADERS = 128

LARGEST_BODY = 1024 * 1024
"""Bytes of a request's body."""

BODY_TIMEOUT = 30.0
"""Seconds that a body may take."""

MOST_PIPELINED = 16
"""Requests that a client may send before it has the answers."""

_ANSWERS: dict[ConnectionEnd, tuple[HTTPStatus, Refusal]] = {
    ConnectionEnd.FULL: (
        HTTPStatus.TOO_MANY_REQUESTS,
        TooMany("this server has too many connections; try later"),
    ),
    ConnectionEnd.LATE: (HTTPStatus.REQUEST_TIMEOUT, BadRequest("the request took too long; send it at once")),
    ConnectionEnd.MALFORMED: (HTTPStatus.BAD_REQUEST, BadRequest("this is not HTTP; send a request of HTTP/1.1")),
    ConnectionEnd.PIPELINED: (
        HTTPStatus.BAD_REQUEST,
        BadRequest(f"more than {MOST_PIPELINED} requests in a row; wait for the answers"),
    ),
}
_LARGE_HEAD = (
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    BadRequest(f"the head of the request is too large; send {LARGEST_HEAD} bytes and {MOST_HEADERS} headers at most"),
)
_LARGE_BODY = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooLarge(f"the body of the request is too large; send at most {LARGEST_BODY} bytes"),
)


class _Excess(Exception):
    """Ends the parsing of a request."""


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection. ``upgrades`` and ``taken`` belong to one server."""

    upgrades: BatchedCallbacks
    taken: Connections
    _connection: Connection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection on, or refuse it."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._answering: RequestResponseCycle | None = None
        self._in_head = True
        self._complete = True
        self._upgraded = False
        self._head_size = self._body_size = 0
        self._excess = ConnectionEnd.MALFORMED
        self._connection = self.taken.opened(self.transport, self._end)
        if self._connection is None:
            self._answer(ConnectionEnd.FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request that it is over. uvicorn tells the last one only."""
        if self._connection is not None:
            self.taken.lost(self._connection)
        for cycle in (self._answering, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, up to the largest head at a time."""
        while data and not self._upgraded and not self.transport.is_closing():
            part = data
            if self._in_head:
                part = data[: LARGEST_HEAD - self._head_size]
                self._head_size += len(part)
            super().data_received(part)
            data = data[len(part) :]
            if self._in_head and self._head_size >= LARGEST_HEAD and not self.transport.is_closing():
                self._refuse(ConnectionEnd.LARGE)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
        self._in_head, self._complete = True, False
        self._body_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if len(self.headers) >= MOST_HEADERS:
            self._exceed(ConnectionEnd.LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if len(self.pipeline) >= MOST_PIPELINED:
            self._exceed(ConnectionEnd.PIPELINED)
        self._in_head, self._head_size = False, 0
        if not (self.parser.should_upgrade() and self._should_upgrade()) and self._connection is not None:
            self.taken.busy(self._connection, self.loop.time() + BODY_TIMEOUT)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        self._body_size += len(body)
        if self._body_size > LARGEST_BODY:
            self._exceed(ConnectionEnd.LARGE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._in_head = self._complete = True
        super().on_message_complete()
        if self._connection is not None and not (self.parser.should_upgrade() and self._should_upgrade()):
            self.taken.busy(self._connection)
            self._rest()

    def on_response_complete(self) -> None:
        """The answer is complete."""
        self._answering = None
        super().on_response_complete()
        self._rest()

    def _rest(self) -> None:
        """Wait for the next request if nothing is left to answer."""
        if self._answering is None and self._complete and self._connection is not None:
            self.taken.waits(self._connection)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Upgrade when it is this connection's turn."""
        self._upgraded = True
        self.transport.pause_reading()
        self.upgrades.add([self._upgrade])

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's
        """Refuse what cannot be parsed, or what a callback found to exceed a limit."""
        self._refuse(self._excess)

    def _exceed(self, end: ConnectionEnd) -> None:
        """Stop parsing; ``send_400_response`` follows."""
        self._excess = end
        raise _Excess(end)

    def _refuse(self, end: ConnectionEnd) -> None:
        self.taken.count(end)
        self._end(end)

    def _end(self, end: ConnectionEnd) -> None:
        """Close the connection; with an answer, if the client waits for none and has begun to ask."""
        begun = self._head_size or not self._complete
        if begun and not (self._answering is not None and self._answering.response_started):
            self._answer(end)
        else:
            self.transport.close()

    def _answer(self, end: ConnectionEnd) -> None:
        status: HTTPStatus
        refusal: Refusal
        if end is ConnectionEnd.LARGE:
            status, refusal = _LARGE_HEAD if self._in_head else _LARGE_BODY
        else:
            status, refusal = _ANSWERS[end]
        body = error_message(refusal).encode().encode()
        retry = "" if refusal.retry_after is None else f"Retry-After: {refusal.retry_after:.0f}\r\n"
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{retry}Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
