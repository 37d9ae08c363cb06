"""A system under attack, the attackers' connections, and an honest client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.responses import PlainTextResponse, Response

from bench.attacks.on_sockets import open_socket
from bench.attacks.raw import Raw
from captions.connection_end import ConnectionEnd
from livecaptions.server import ConnectionLimits
from tests.streamer.system import System, running
from tests.support import RecordingProbe, script_of

SCRIPT, _ = script_of(1)
ASK = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
SOON = 20.0
"""Seconds that a test waits for something before it fails."""


class Attacked(System):
    """A system whose limits are counted."""

    probe: RecordingProbe
    crowd: list[Raw]

    @property
    def ends(self) -> list[ConnectionEnd]:
        """The reasons for which connections were closed, in order."""
        return self.probe.values("connection_closed")

    async def honest(self) -> None:
        """Somebody else is served."""
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{self.http}/healthz", timeout=SOON)).status_code == 200

    async def raw(self, data: bytes = b"", *, address: str = "127.0.0.1", reads: bool = True) -> Raw:
        """A connection from ``address`` that has sent ``data``."""
        loop = asyncio.get_running_loop()
        _, raw = await loop.create_connection(lambda: Raw(reads=reads), "127.0.0.1", self.port, local_addr=(address, 0))
        self.crowd.append(raw)
        if data:
            await raw.send(data)
        return raw

    async def socket(self, what: str = "captions", offer: bytes = b"") -> Raw:
        """A WebSocket that is open."""
        raw = await self.raw()
        await open_socket(raw, f"/v1/rooms/hall/{what}", offer)
        return raw

    async def empty(self) -> None:
        """No connection is left."""
        await until(lambda: len(self.connections) == 0 and self.gateway.viewers == 0)


@asynccontextmanager
async def attacked(
    *,
    total: int = 10_000,
    per_address: int = 6_000,
    request_timeout: float = 10.0,
    **settings: Any,  # noqa: ANN401
) -> AsyncIterator[Attacked]:
    """Run a system with these limits and the gateway's ``settings``."""
    limits = ConnectionLimits(total=total, per_address=per_address, request_timeout=request_timeout)
    probe = RecordingProbe()
    async with running(SCRIPT, working=False, probe=probe, limits=limits, **settings) as system:

        @system.app.get("/healthz")
        async def healthz() -> Response:
            return PlainTextResponse("ok")

        attacked = Attacked(system.gateway, system.log, system.port, system.app, system.connections)
        attacked.probe = probe
        attacked.crowd = []
        try:
            yield attacked
        finally:
            for raw in attacked.crowd:
                raw.transport.abort()


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)


async def ended(raw: Raw) -> bytes:
    """Wait until the server has closed the connection. Returns the end of what it said."""
    async with asyncio.timeout(SOON):
        await raw.ended.wait()
    return raw.last


def refusal_in(answer: bytes) -> dict[str, Any]:
    """The refusal in a response."""
    refusal: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return refusal
