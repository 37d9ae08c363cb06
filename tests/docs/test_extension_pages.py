"""The code of docs/add-a-protocol.md and docs/add-a-consumer.md, as it stands there, run."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from captions.audio import to_bytes
from streamer.protocols.protocol import PublisherProtocol
from streamer.web import publish as publishing
from tests.streamer.system import System, running
from tests.support import script_of

pytestmark = pytest.mark.server

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT, PCM = script_of(2)
SAID = [" ".join(word.text for word in SCRIPT[at : at + 8]) for at in range(0, len(SCRIPT), 8)]


def code_of(page: str) -> dict[str, Any]:
    """What the first Python example of a page defines."""
    (code, *_) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    defined: dict[str, Any] = {}
    exec(compile(code, page, "exec"), defined)  # noqa: S102 - our own page
    return defined


def mount(system: System, protocol: Callable[[], PublisherProtocol]) -> None:
    """The route of the page, before the one for everything else."""

    async def lines(websocket: WebSocket, room: str) -> None:
        await publishing.publish(websocket, system.gateway, room, protocol())

    system.app.add_api_websocket_route("/lines/{room}", lines)
    system.app.router.routes.insert(0, system.app.router.routes.pop())


async def conversation(url: str, *frames: bytes | str) -> tuple[list[str], int]:
    """Everything that came in answer, and the close code."""
    came: list[str] = []
    async with connect(url, close_timeout=1) as socket:
        for frame in frames:
            await socket.send(frame)
        try:
            while True:
                came.append(str(await asyncio.wait_for(socket.recv(), 30)))
        except ConnectionClosed as closed:
            return came, closed.rcvd.code if closed.rcvd is not None else 1006


async def test_the_protocol_of_the_page_captions() -> None:
    protocol = code_of("add-a-protocol.md")["LinesProtocol"]
    audio = to_bytes(PCM)
    async with running(SCRIPT) as system:
        mount(system, protocol)
        url = f"ws://127.0.0.1:{system.port}/lines/hall?lang=en"
        frames = [audio[at : at + 60_000] for at in range(0, len(audio), 60_000)]
        assert await conversation(url, *frames, "stop") == (SAID, 1000)
        assert await conversation(url, "what?") == (["error: send audio, or stop"], 1008)
        with pytest.raises(InvalidStatus) as refused:
            await conversation(url.replace("lang=en", "lang=klingon!"))
        assert refused.value.response.status_code == 400


async def test_the_consumer_of_the_page_prints_every_final(capsys: pytest.CaptureFixture[str]) -> None:
    print_finals = code_of("add-a-consumer.md")["print_finals"]
    audio = to_bytes(PCM)
    async with running(SCRIPT) as system:
        consuming = asyncio.create_task(print_finals(system.log))
        async with system.publisher(room := "hall") as socket:
            for at in range(0, len(audio), 60_000):
                await socket.send(audio[at : at + 60_000])
            await socket.send('{"type":"end"}')
            async for _ in socket:
                pass
        printed = ""
        async with asyncio.timeout(30):
            while not all(text in printed for text in SAID):
                await asyncio.sleep(0.01)
                printed += capsys.readouterr().out
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
    assert [line.split()[0] for line in printed.splitlines() if any(text in line for text in SAID)] == [room, room]
