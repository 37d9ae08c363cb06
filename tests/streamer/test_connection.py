"""One publisher's connection in virtual time: which messages it receives, and when."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from starlette.websockets import WebSocket

from captions.audio import SAMPLE_RATE
from captions.caption import CaptionId
from captions.ports.probe import Probe
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.protocols.native import NativeProtocol
from streamer.settings import GatewaySettings
from streamer.web.publish import publish
from tests.support import EnergyDetector, LoopClock, memory_log

pytestmark = pytest.mark.looptime

END = '{"type":"end"}'


class Client:
    """The client's end of a simulated WebSocket: the messages that arrived, with the loop's time of each."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.closed: int | None = None
        scope = {"type": "websocket", "path": "/", "query_string": b"", "headers": [], "extensions": {}}
        self.socket = WebSocket(scope, self.sent.get, self._hear)

    async def _hear(self, message: Any) -> None:  # noqa: ANN401 - ASGI's own
        if message["type"] == "websocket.send":
            self.heard.append((asyncio.get_running_loop().time(), json.loads(message["text"])))
        elif message["type"] == "websocket.close":
            self.closed = message["code"]

    def send(self, frame: bytes | str) -> None:
        key = "bytes" if isinstance(frame, bytes) else "text"
        self.sent.put_nowait({"type": "websocket.receive", key: frame})

    def all(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at, message) for at, message in self.heard if message["type"] == kind]


def gateway_with(**settings: Any) -> Gateway:  # noqa: ANN401 - the gateway's own
    return Gateway(memory_log(), LoopClock(), Probe(), EnergyDetector, GatewaySettings(**settings))


@asynccontextmanager
async def connected(gateway: Gateway) -> AsyncIterator[tuple[Client, asyncio.Task[None]]]:
    client = Client()
    serving = asyncio.create_task(publish(client.socket, gateway, "hall", NativeProtocol()))
    try:
        while not client.heard:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)
        yield client, serving
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await gateway.close()


@pytest.mark.parametrize("every", [0.2, 0.7, 1.0])
async def test_acknowledgements_come_twice_a_second_while_audio_flows(every: float) -> None:
    async with connected(gateway_with()) as (client, _):
        began = asyncio.get_running_loop().time()
        for _ in range(round(20 / every)):
            client.send(bytes(round(SAMPLE_RATE * every) * 2))
            await asyncio.sleep(every)
        acks = [began, *(at for at, _ in client.all("ack"))]
        await asyncio.sleep(30)
        assert len(client.all("ack")) < len(acks) + 10, "none is needed where nothing flows"
    assert max(later - earlier for earlier, later in pairwise(acks)) <= 0.6


async def test_done_is_waited_for_as_long_as_finals_come() -> None:
    gateway = gateway_with(done_timeout=30.0)
    async with connected(gateway) as (client, serving):
        for utterance in range(5):
            gateway.pending.ended(CaptionId(RoomId("hall").track("main"), utterance))
        client.send(END)
        for utterance in range(5):
            await asyncio.sleep(20)
            assert client.closed is None
            gateway.pending.final(CaptionId(RoomId("hall").track("main"), utterance))
        await serving
    assert client.heard[-1][1]["type"] == "done"
    assert client.closed == 1000


async def test_done_is_not_waited_for_where_no_final_comes() -> None:
    gateway = gateway_with(done_timeout=30.0)
    async with connected(gateway) as (client, serving):
        gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 0))
        gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 1))
        client.send(END)
        await asyncio.sleep(20)
        gateway.pending.final(CaptionId(RoomId("hall").track("main"), 0))
        gateway.sessions.held[0].session.wake.set()  # as a caption would
        came = asyncio.get_running_loop().time()
        await serving
        late = asyncio.get_running_loop().time()
    assert client.heard[-1][1]["code"] == "internal"
    assert late - came == pytest.approx(30, abs=0.1)
