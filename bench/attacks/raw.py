"""Connections that send whatever they are told, and remember how they ended."""

import asyncio
import contextlib
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

HOST = "127.0.0.1"
ATTACKER = "127.0.0.2"
"""The address that attacks come from. Limits that count by address must not stop honest clients of another."""
TEXT, BINARY, CONTINUATION, CLOSE, PING = 0x1, 0x2, 0x0, 0x8, 0x9
KEPT = 1024
"""Bytes kept of the beginning and of the end of what was received."""

PAUSE = 0.05
"""Seconds after which a connection that the server closed is replaced."""


class Raw(asyncio.Protocol):
    """One connection. ``first`` and ``last`` are the first and last bytes that it received."""

    transport: asyncio.Transport

    def __init__(self, *, reads: bool = True) -> None:
        self.first = b""
        self.last = b""
        self.ended = asyncio.Event()
        self.answered = asyncio.Event()
        self._writable = asyncio.Event()
        self._reads = reads

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Keep some of it. A connection that does not read stops after its first answer."""
        self.first = (self.first + data)[:KEPT]
        self.last = (self.last + data)[-KEPT:]
        self.answered.set()
        if not self._reads:
            self.transport.pause_reading()

    def pause_writing(self) -> None:
        """The server does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """It is over."""
        self.ended.set()
        self.answered.set()
        self._writable.set()

    async def send(self, data: bytes) -> None:
        """Send as soon as the server reads. Raises ``ConnectionError`` if the connection has ended."""
        await asyncio.sleep(0)  # a connection that takes everything must not keep the others from attacking
        await self._writable.wait()
        if self.ended.is_set():
            raise ConnectionError
        self.transport.write(data)

    async def says(self, expected: bytes) -> None:
        """Wait until the end of what was received has ``expected``, or the connection ends."""
        while expected not in self.last and not self.ended.is_set():
            self.answered.clear()
            await self.answered.wait()

    @property
    def end(self) -> str:
        """The close code or HTTP status that the server gave, else ``no word``."""
        if (code := close_code(self.last)) is not None:
            return str(code)
        status = self.last.rpartition(b"HTTP/1.1 ")[2][:3]
        return status.decode() if status.isdigit() and status != b"101" else "no word"


def close_code(data: bytes) -> int | None:
    """The code of the close frame that ``data`` ends with; None without one."""
    for at in range(len(data) - 1):
        if data[at] == 0x80 | CLOSE and data[at + 1] == len(data) - at - 2 >= 2:
            return int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def frame(opcode: int, payload: bytes = b"", *, first_byte: int = 0x80, claimed: int | None = None) -> bytes:
    """A client's frame, masked with zeros. ``first_byte`` has the bits FIN and RSV; ``claimed`` is what it says."""
    size = len(payload) if claimed is None else claimed
    if size < 126:
        length = struct.pack(">B", 0x80 | size)
    elif size < 2**16:
        length = struct.pack(">BH", 0x80 | 126, size)
    else:
        length = struct.pack(">BQ", 0x80 | 127, size)
    return bytes([first_byte | opcode]) + length + bytes(4) + payload


@dataclass
class Crowd:
    """The connections of one attack. ``ends`` counts by ``Raw.end`` those that the server ended.

    ``room`` is a room in which somebody speaks.
    """

    port: int
    room: str = "hall"
    opened: int = 0
    refused: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    open: set[Raw] = field(default_factory=set)

    async def connect(self, *, reads: bool = True) -> Raw:
        """Open a connection. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        _, raw = await loop.create_connection(lambda: Raw(reads=reads), HOST, self.port, local_addr=(ATTACKER, 0))
        self.opened += 1
        self.open.add(raw)
        return raw

    def over(self, raw: Raw) -> None:
        """Count the end of a connection, or hang up."""
        self.open.discard(raw)
        if raw.ended.is_set():
            self.ends[raw.end] += 1
        raw.transport.abort()

    async def keep(self, count: int, behave: Callable[[Raw], Awaitable[None]], *, reads: bool = True) -> None:
        """Hold ``count`` connections open, each with this behaviour, and replace those that end. Never returns."""
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self._keep(behave, reads=reads))

    async def _keep(self, behave: Callable[[Raw], Awaitable[None]], *, reads: bool) -> None:
        while True:
            try:
                raw = await self.connect(reads=reads)
            except OSError:
                self.refused += 1
                await asyncio.sleep(1)
                continue
            try:
                with contextlib.suppress(ConnectionError):
                    await behave(raw)
            finally:
                self.over(raw)
            await asyncio.sleep(PAUSE)
