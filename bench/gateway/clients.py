"""Publishers and viewers that cost next to nothing: sockets whose frames are made beforehand."""

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
    """The request that asks for a WebSocket."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )


class Client(asyncio.Protocol):
    """A WebSocket client: it shakes hands and takes what comes, which is never masked and may come in pieces."""

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
            self.heard(data)
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            status = self._head.split(b"\r\n", 1)[0]
            if b" 101 " in status:
                self.ready.set_result(None)
            else:
                self.ready.set_exception(SetupError(f"{self._path} was answered {status.decode()}"))

    def heard(self, data: bytes) -> None:
        """Bytes of frames."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for the handshake waits no more."""
        if not self.ready.done():
            self.ready.set_exception(SetupError(f"{self._path}: the connection broke: {exc}"))


class Publisher(Client):
    """``refused`` holds what the server said where it closed the stream."""

    def __init__(self, room: str) -> None:
        super().__init__(f"/v1/rooms/{room}/publish")
        self.room = room
        self.refused: bytes | None = None

    def heard(self, data: bytes) -> None:
        """Acknowledgements, of which there is nothing to say; and errors."""
        if b'"type":"error"' in data:
            self.refused = data


class Viewer(Client):
    """``delays`` are seconds from the log to here, of every caption of the hall that was spoken in time."""

    def __init__(self, room: str) -> None:
        super().__init__(f"/v1/rooms/{room}/captions")
        self.counted = (inf, inf)
        self.delays: list[float] = []

    def heard(self, data: bytes) -> None:
        """Captions, one or more."""
        now = time.monotonic()
        for spoken in SPOKEN_AT.findall(data):
            if self.counted[0] <= (at := int(spoken) / 1e9) < self.counted[1]:
                self.delays.append(now - at)


def framed(payload: bytes) -> bytes:
    """A masked binary frame (RFC 6455, 5.2), its mask all zeros: servers unmask it like any other."""
    return b"\x82" + struct.pack(">BH", 0x80 | 126, len(payload)) + bytes(4) + payload


async def connected(clients: Sequence[Client], port: int, at_once: int = 50) -> None:
    """Connect them all, some at a time. Raises ``SetupError`` where one is refused."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(clients), at_once):
        some = clients[start : start + at_once]
        await asyncio.gather(*(loop.create_connection(partial(_same, client), "127.0.0.1", port) for client in some))
        await asyncio.gather(*(client.ready for client in some))


def _same(client: Client) -> Client:
    return client
