"""uvicorn's WebSocket protocol with limits, and with support for pre-encoded frames (``streamer.web.frames``)."""

import asyncio
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.protocol import State

from captions.connection_end import ConnectionEnd
from livecaptions.server.connections import Connection, Connections
from streamer.web.frames import ABORT, EXTENSION, LARGEST_MESSAGE

LARGEST_MESSAGE_BYTES = 1024 * 1024
"""The limit of the protocol library. The gateway itself refuses frames over 64 KiB with a proper error message."""

PARSED_AT_A_TIME = 1024
"""Bytes. The library parses a frame in about 5 µs, and the smallest frames have 6 bytes."""

MOST_FRAGMENTS = 128
"""Fragments of one message."""

MOST_DISCARDED = 1000
"""Frames read after the server's close frame, to find that of the client. Then nothing more is read."""

MOST_CONTROL_FRAMES = 100
"""Pings and pongs in ``CONTROL_WINDOW`` seconds. Clients send one in 20 seconds."""

CONTROL_WINDOW = 10.0

CLOSE_TIMEOUT = 10.0
"""Seconds that a client may take to answer a close frame."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket. ``taken`` belongs to one server."""

    taken: Connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Go on with the connection that asked for the upgrade."""
        super().connection_made(transport)
        self._connection: Connection | None = self.taken.of(self.transport)
        self.close_timeout = CLOSE_TIMEOUT
        self._unparsed = bytearray()
        self._discarded = 0
        self._control_frames = 0
        self._window_ends = 0.0

    async def run_asgi(self) -> None:
        """Serve the socket."""
        if self._connection is not None:
            self.taken.busy(self._connection)
        self.scope["extensions"][EXTENSION] = {}
        self.scope["extensions"][ABORT] = {"abort": self.transport.abort}
        await super().run_asgi()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free everything."""
        if self._connection is not None:
            self.taken.lost(self._connection)
        super().connection_lost(exc)
        self.conn.parser.close()  # it references the connection and would keep it until the next full collection

    def data_received(self, data: bytes) -> None:
        """Parse what came, as long as the application takes the messages."""
        self._unparsed += data
        self._parse()

    def _parse(self) -> None:
        """Parse a little at a time: many small frames must not stop the event loop."""
        while self._unparsed and not self.read_paused and not self.transport.is_closing():
            part = bytes(self._unparsed[:PARSED_AT_A_TIME])
            del self._unparsed[:PARSED_AT_A_TIME]
            super().data_received(part)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._refuse_handshake()
        if not self._unparsed and not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _refuse_handshake(self) -> None:
        """Answer a request that the library cannot read. uvicorn would never answer it."""
        self.taken.count(ConnectionEnd.MALFORMED)
        answer = b"".join(self.conn.data_to_send())
        self.transport.write(answer or b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.transport.close()

    async def receive(self) -> Any:  # noqa: ANN401 - any event of ASGI
        """The next event. Parsing goes on in the next iteration of the event loop."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.loop.call_soon(self._parse)
        return message

    def keepalive_timeout(self) -> None:
        """Disconnect a client that did not answer a ping; not while its answer may be behind audio not read yet."""
        if (self.read_paused or self._unparsed) and not self.close_sent and self.ping_timeout is not None:
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def _discards(self) -> bool:
        """Whether frames are of no use any more. Stops reading after many of them."""
        if self.close_sent:
            self._discarded += 1
            if self._discarded >= MOST_DISCARDED:
                self._unparsed.clear()
                self.transport.pause_reading()
                self.read_paused = True  # until the close timer
        return self.close_sent

    def handle_text(self, event: Frame) -> None:
        """Receive a text frame."""
        if not self._discards():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Receive a binary frame."""
        if not self._discards():
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Receive a fragment."""
        if self._discards():
            return
        if len(self.frames) >= MOST_FRAGMENTS:
            self._fail(ConnectionEnd.FRAGMENTS, f"more than {MOST_FRAGMENTS} fragments in a message; send larger ones")
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping."""
        if self._counted():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Receive a pong."""
        if self._counted():
            super().handle_pong(event)

    def _counted(self) -> bool:
        """Count a ping or pong. Returns whether the connection may still have it."""
        if self._discards():
            return False
        now = self.loop.time()
        if now >= self._window_ends:
            self._window_ends, self._control_frames = now + CONTROL_WINDOW, 0
        self._control_frames += 1
        if self._control_frames > MOST_CONTROL_FRAMES:
            most = f"{MOST_CONTROL_FRAMES} in {CONTROL_WINDOW:.0f} s"
            self._fail(ConnectionEnd.PINGS, f"too many pings or pongs; send at most {most}")
        return not self.close_sent

    def _fail(self, end: ConnectionEnd, reason: str) -> None:
        """Close the connection as RFC 6455 says for a policy that was violated."""
        self.taken.count(end)
        self.conn.fail(CloseCode.POLICY_VIOLATION, reason)
        self._end_after_failure()

    def handle_parser_exception(self) -> None:
        """Close the connection of a client that broke the rules."""
        self.taken.count(ConnectionEnd.MALFORMED)
        self._end_after_failure()

    def _end_after_failure(self) -> None:
        """As uvicorn does, but also where the handshake is not complete, and no close frame can be sent."""
        self._unparsed.clear()
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self.close_sent = True
        self.transport.close()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - any message of ASGI, and our own
        """Send a message of the application."""
        if LARGEST_MESSAGE in message:
            self.conn.max_message_size = message[LARGEST_MESSAGE]
        if "frames" not in message or not self.handshake_complete or self.close_sent:
            await super().send(message)
            if self.close_sent:
                self._parse()  # the close frame of the client may be there already
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(message["frames"])
