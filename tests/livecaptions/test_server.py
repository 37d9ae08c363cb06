"""The HTTP server as we run it: WebSockets that many open at once, and what they leave behind."""

import asyncio
import gc

import pytest
from websockets.asyncio.client import connect
from websockets.server import ServerProtocol

from livecaptions import garbage
from livecaptions.server.http_server import UPGRADED_AT_A_TIME
from tests.streamer.system import Conversation, System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, _ = script_of(1)


async def gone(system: System) -> None:
    async with asyncio.timeout(10):
        while system.gateway.viewers:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def connections() -> int:
    return sum(type(thing) is ServerProtocol for thing in gc.get_objects())


async def test_a_closed_connection_leaves_nothing_for_the_collector() -> None:
    async with running(SCRIPT, working=False) as system:
        gc.collect()
        before = connections()
        gc.disable()
        try:
            for leaves in ("close", "abort"):
                sockets = [await system.viewer() for _ in range(5)]
                assert connections() == before + 5
                for socket in sockets:
                    if leaves == "close":
                        await socket.close()
                    else:
                        socket.transport.abort()
                await gone(system)
                assert connections() == before
        finally:
            gc.enable()


async def test_who_hangs_up_before_its_turn_does_no_harm() -> None:
    async with running(SCRIPT, working=False) as system:
        coming = [asyncio.create_task(_knock(system.port)) for _ in range(UPGRADED_AT_A_TIME * 20)]
        staying = [asyncio.create_task(_seen(system.viewer())) for _ in range(UPGRADED_AT_A_TIME * 5)]
        await asyncio.gather(*coming)
        assert set(await asyncio.gather(*staying)) == {"live"}
        await gone(system)


async def _knock(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /v1/rooms/hall/captions HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await writer.drain()
    writer.transport.abort()


async def _seen(socket: connect) -> str:
    async with socket as open_socket:
        return str((await Conversation(open_socket).next())["type"])


@pytest.mark.looptime
async def test_garbage_is_collected_every_minute_unless_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[float] = []
    monkeypatch.setattr(garbage, "allocator", lambda: lambda: given_back.append(1))
    tidying = asyncio.create_task(garbage.release_memory_periodically())
    await asyncio.sleep(1)
    cycle: list[object] = []
    cycle.append(cycle)
    reference = _Canary()
    cycle.append(reference)
    watched = _Canary.alive
    del cycle, reference
    gc.disable()
    try:
        monkeypatch.setattr(garbage, "FEW_OBJECTS", 0)
        await asyncio.sleep(garbage.RELEASE_INTERVAL)
        assert _Canary.alive == watched
        monkeypatch.setattr(garbage, "FEW_OBJECTS", 10**9)
        await asyncio.sleep(garbage.RELEASE_INTERVAL)
        assert _Canary.alive == watched - 1
    finally:
        gc.enable()
    tidying.cancel()
    assert len(given_back) >= 1


class _Canary:
    alive = 0

    def __init__(self) -> None:
        _Canary.alive += 1

    def __del__(self) -> None:
        _Canary.alive -= 1
