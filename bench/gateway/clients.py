"""Publishers and viewers that use very little CPU: sockets with prepared frames."""

import asyncio
import base64
import re
import struct
import time
from collections.abc import Sequence
from functools import partial
from math import inf
from typing import cast

from captions.errors import SetupError

SPOKEN_AT = re.compile(rb'"text":"(\d+)')


def handshake(path: str) -> bytes:
    """The HTTP request for a WebSocket upgrade."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )


class Client(asyncio.Protocol):
    """A minimal WebSocket client. It does the handshake and passes received bytes on, without parsing frames."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._head = b""
        self.ready = asyncio.get_running_loop().create_future()
        self.transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport = cast("asyncio.WriteTransport", transport)
        transport.write(handshake(self._path))

    def data_received(self, data: bytes) -> None:
        """The answer to the handshake, then frames."""
        if self.ready.done():
            self.received(data)
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            status = self._head.split(b"\r\n", 1)[0]
            if b" 101 " in status:
                self.ready.set_result(None)
            else:
                self.ready.set_exception(SetupError(f"{self._path} was answered {status.decode()}"))

    def received(self, data: bytes) -> None:
        """Handle bytes of frames, which may contain parts of frames."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the handshake if it is not complete."""
        if not self.ready.done():
            self.ready.set_exception(SetupError(f"{self._path}: the connection broke: {exc}"))


class Publisher(Client):
    """A publisher. ``refused`` is the server's error message if it refused or closed the stream."""

    def __init__(self, room: str) -> None:
        super().__init__(f"/v1/rooms/{room}/publish")
        self.room = room
        self.refused: bytes | None = None

    def received(self, data: bytes) -> None:
        """Ignore acknowledgements and store errors."""
        if b'"type":"error"' in data:
            self.refused = data


class Viewer(Client):
    """A viewer. ``delays`` are seconds from append to arrival, for captions in the counted time."""

    def __init__(self, room: str) -> None:
        super().__init__(f"/v1/rooms/{room}/captions")
        self.counted = (inf, inf)
        self.delays: list[float] = []

    def received(self, data: bytes) -> None:
        """Measure the delays of captions."""
        now = time.monotonic()
        for spoken in SPOKEN_AT.findall(data):
            if self.counted[0] <= (at := int(spoken) / 1e9) < self.counted[1]:
                self.delays.append(now - at)


def framed(payload: bytes) -> bytes:
    """A masked binary frame (RFC 6455, 5.2) with a mask of zeros. Servers unmask it like any other frame."""
    return b"\x82" + struct.pack(">BH", 0x80 | 126, len(payload)) + bytes(4) + payload


async def connected(clients: Sequence[Client], port: int, at_once: int = 50) -> None:
    """Connect all clients, ``at_once`` at a time. Raises ``SetupError`` if one is refused."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(clients), at_once):
        some = clients[start : start + at_once]
        await asyncio.gather(*(loop.create_connection(partial(_same, client), "127.0.0.1", port) for client in some))
        await asyncio.gather(*(client.ready for client in some))


def _same(client: Client) -> Client:
    return client
