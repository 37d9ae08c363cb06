"""Nothing of what is said gets into the logs or the metrics of a server, whatever happens, at the lowest level."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from captions.audio import to_bytes
from livecaptions import talk
from livecaptions.processes import free_ports
from tests.livecaptions.leaky_server import PCM, WORDS
from tests.streamer.system import Conversation

pytestmark = pytest.mark.server

FORMS = ("console", "json")
NAME, TERM = "xanthippe", "oberammergau"
SAID = " ".join(WORDS)
DEBUG = {**os.environ, "PYTHONASYNCIODEBUG": "1"}


@dataclass
class Server:
    port: int
    process: Process
    printed: list[bytes] = field(default_factory=list)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, path: str) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}/v1/rooms/hall/{path}", compression=None)


@asynccontextmanager
async def serving(form: str, *module: str) -> AsyncIterator[Server]:
    """A server in a process of its own; all that it prints is kept, up to its end."""
    (port,) = free_ports(1)
    flags = ("--port", str(port), "--log-level", "debug", "--log-format", form, "--audit-views")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, *flags, stdout=PIPE, stderr=PIPE, env=DEBUG
    )
    server = Server(port, process)

    async def collect(stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        while line := await stream.readline():
            server.printed.append(line)

    reading = asyncio.gather(collect(process.stdout), collect(process.stderr))
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as http:
            while True:
                with suppress(httpx.TransportError):
                    if (await http.get(f"{server.http}/readyz")).status_code == 200:
                        break
                assert process.returncode is None, server.printed
                await asyncio.sleep(0.1)
        yield server
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            assert await process.wait() == 0, server.printed
            await reading
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def speak(server: Server) -> str:
    """Publish the whole script, break the connection in the middle, and resume. The session's id."""
    audio, half = to_bytes(PCM), len(PCM)
    half -= half % 2
    async with server.socket(f"publish?speaker={NAME}&vocabulary={TERM}") as socket:
        talking = Conversation(socket)
        ready = await talking.of("ready")
        for at in range(0, half, 6400):
            await socket.send(audio[at : min(half, at + 6400)])
        await talking.of("caption")
        socket.transport.abort()
    async with server.socket(f"publish?session={ready['session']}") as socket:
        talking = Conversation(socket)
        offset = (await talking.of("ready"))["offset"]
        for at in range(offset, len(audio), 6400):
            await socket.send(audio[at : at + 6400])
        await socket.send('{"type":"end"}')
        await talking.rest()
    return str(ready["session"])


async def nonsense(server: Server, message: str | bytes) -> None:
    with suppress(WebSocketException):
        async with server.socket("publish?track=other&takeover=true") as socket:
            talking = Conversation(socket)
            await talking.of("ready")
            await socket.send(message)
            await socket.send('{"type":"end"}')
            await talking.rest()


async def everything(server: Server) -> None:
    """All that clients do, and much that they should not."""
    said = quote(SAID)
    alone = httpx.Limits(max_keepalive_connections=0)  # uvicorn closes the connection of a request that failed
    http = httpx.AsyncClient(base_url=server.http, timeout=30, limits=alone)
    async with server.socket("captions") as viewing, http:
        viewer = Conversation(viewing)
        await viewer.of("live")
        session = await speak(server)
        await viewer.next(lambda message: message.get("state") == "ended")
        assert WORDS[0] in json.dumps(viewer.heard)
        for message in (SAID, json.dumps({"type": SAID}), json.dumps({"type": "end", "x": SAID})[:-3], SAID.encode()):
            await nonsense(server, message)
        for query in (f"language={said}", f"vocabulary={said * 3}", f"speaker={said * 3}", f"track={said}"):
            with suppress(WebSocketException):
                async with server.socket(f"publish?{query}"):
                    pass
        for path in ("transcript", "transcript?format=vtt", f"transcript?format={said}", f"captions?after={said}"):
            await http.get(f"/v1/rooms/hall/{path}")
        await http.post("/v1/tokens", content=json.dumps({"rooms": SAID}))
        await http.get(f"/v1/rooms/{said}/transcript")
        await http.get(f"/{said}", headers={"Accept": "text/html"})
        async with http.stream("GET", "/v1/rooms/hall/captions") as events:
            assert WORDS[0] in await anext(aiter(events.aiter_text()))
        with suppress(WebSocketException):
            async with server.socket(f"publish?session={session}"):
                pass
        metrics = (await http.get("/metrics")).text
        assert not [word for word in WORDS if word in metrics]
        async with server.socket("publish?track=third") as socket:  # it drains while somebody speaks
            talking = Conversation(socket)
            await talking.of("ready")
            await socket.send(to_bytes(PCM)[:64_000])
            await talking.of("caption")
            assert (await http.delete("/v1/rooms/hall")).status_code == 200
            await socket.send(to_bytes(PCM)[64_000:128_000])
            server.process.send_signal(signal.SIGTERM)
            with suppress(WebSocketException):
                await talking.rest()


@pytest.mark.parametrize("form", FORMS)
async def test_no_word_gets_into_the_logs_whatever_fails(form: str) -> None:
    async with serving(form, "tests.livecaptions.leaky_server") as server:
        await everything(server)
    printed = b"".join(server.printed).decode()
    leaks = [line for line in printed.splitlines() if any(word in line.lower() for word in (*WORDS, NAME, TERM))]
    assert not leaks
    for event in (  # all of it did happen
        "record_skipped", "engine_raised", "decode_failed", "utterance_lost", "publisher_connected", "publisher_left",
        "view.connected", "transcript.exported", "room.deleted", "KeyError", "stopped",
    ):  # fmt: skip
        assert event in printed, event


async def by_command(server: Server) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "livecaptions.cli", "send", str(talk.talk_path()), "--room", "hall", "--fast",
        "--url", server.http, stdout=PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert len(set(words_of(out.decode())) & set(words_of(talk.text()))) > 50


async def silence(server: Server) -> None:
    async with server.socket("publish") as socket:
        await Conversation(socket).of("ready")
        await socket.send(bytes(64_000))
        await socket.send('{"type":"end"}')
        await Conversation(socket).rest()


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z']{5,}", text.lower())


async def logged(form: str, do: Callable[[Server], Awaitable[None]]) -> set[str]:
    async with serving(form, "livecaptions.cli", "serve", "--model", "tiny.en") as server:
        await do(server)
    # asyncio's debug mode names whatever was slow, which differs from run to run, and has our own words only
    lines = [line for line in server.printed if b"Executing <" not in line]
    return set(words_of(b"".join(lines).decode()))


@pytest.mark.parametrize("form", FORMS)
async def test_no_word_of_a_talk_that_whisper_hears_gets_into_the_logs(form: str) -> None:
    talked, silent = await logged(form, by_command), await logged(form, silence)
    leaked = (talked - silent) & set(words_of(talk.text()))
    assert leaked == set()
