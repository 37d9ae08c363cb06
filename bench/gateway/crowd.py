"""A process of ``bench.gateway.hall``: many viewers that connect at once.

``python -m bench.gateway.crowd PORT COUNT HISTORY`` connects the viewers after a line on standard input, prints their
results as JSON, and disconnects them after the next line.
"""

import asyncio
import json
import sys
import time
from functools import partial
from typing import NamedTuple, cast

import uvloop

from bench.gateway.clients import handshake
from bench.gateway.server import HALL

HANDSHAKES = 100
"""Concurrent handshakes per process."""

COUNTED = 25
"""One viewer in this many counts captions. The others only count bytes, which has to give the same number."""

LIVE = b'"type":"live"'
CAPTION = b'"type":"caption"'
CUT = len(CAPTION) - 1


class Seen(NamedTuple):
    """The times when a viewer started to connect, was connected and was live, and the data it received until then.

    Times are seconds of the monotonic clock.
    """

    came: float
    connected: float
    live: float
    received: int
    captions: int | None


class Latecomer(asyncio.BufferedProtocol):
    """A viewer that uses very little CPU. All viewers read into one shared buffer."""

    buffer = memoryview(bytearray(1 << 18))

    def __init__(self, history: str, *, counts: bool) -> None:
        self.came = time.monotonic()
        self.connected = 0.0
        self.received = 0
        self.captions = 0 if counts else None
        self.end = b""
        self.history = history
        self.shaken = asyncio.get_running_loop().create_future()
        self.live: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self.transport.write(handshake(f"/v1/rooms/{HALL}/captions?history={self.history}"))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the protocol's
        """The shared buffer."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """The answer to the handshake, then frames."""
        if self.live.done():
            return
        data = self.end + bytes(self.buffer[:nbytes])
        if not self.shaken.done():
            if b" 101 " not in data[:20]:
                self._fail(f"answered {data[:40]!r}")
                return
            self.connected = time.monotonic()
            self.shaken.set_result(None)
        self.received += nbytes
        if self.captions is not None:
            self.captions += data.count(CAPTION)
        if data.rfind(LIVE) >= 0:
            self.live.set_result(time.monotonic())
        self.end = data[-CUT:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the pending futures."""
        self._fail(f"the connection broke: {exc}")

    def _fail(self, why: str) -> None:
        for waiting in (self.shaken, self.live):
            if not waiting.done():
                waiting.set_exception(ConnectionError(why))


async def _come(port: int, latecomer: Latecomer, door: asyncio.Semaphore) -> Seen | str:
    try:
        async with door:
            latecomer.came = time.monotonic()
            await asyncio.get_running_loop().create_connection(partial(_same, latecomer), "127.0.0.1", port)
            await latecomer.shaken
        live = await latecomer.live
    except OSError as error:
        latecomer.live.cancel()
        return str(error)
    return Seen(latecomer.came, latecomer.connected, live, latecomer.received, latecomer.captions)


def _same(latecomer: Latecomer) -> Latecomer:
    return latecomer


async def crowd(port: int, count: int, history: str) -> None:
    """Connect, print the results and disconnect."""
    loop = asyncio.get_running_loop()
    print("here", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    door = asyncio.Semaphore(HANDSHAKES)
    hall = [Latecomer(history, counts=number % COUNTED == 0) for number in range(count)]
    seen = await asyncio.gather(*(_come(port, latecomer, door) for latecomer in hall))
    print(json.dumps(seen), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for latecomer in hall:
        latecomer.transport.abort()
    await asyncio.sleep(0.1)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(crowd(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
