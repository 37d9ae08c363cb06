"""A server that sends the pages what a test asks for, and records what it receives."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from captions.errors import NotFound, Refusal
from captions.ports.probe import Probe
from livecaptions.clock import SystemClock
from livecaptions.server import listen, serving
from streamer.gateway import Gateway
from streamer.glossaries import GlossariesHere
from streamer.pages import router, static_files
from streamer.settings import GatewaySettings
from streamer.web.browser_policy import BrowserPolicy
from streamer.web.glossaries import glossary_routes
from streamer.web.refusals import as_response, refuse
from tests.support import EnergyDetector, memory_log

Message = dict[str, Any]
SECOND = 32_000
"""Bytes."""
BEGAN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def caption(
    text: str,
    *,
    utterance: int = 1,
    revision: int = 1,
    seq: int | None = None,
    stable: int | None = None,
    track: str = "main",
    speaker: str | None = "Ada",
    start: float | None = None,
    began: datetime = BEGAN,
    **other: object,
) -> Message:
    """A caption; final if it has a ``seq``."""
    at = utterance * 5.0 if start is None else start
    words = text.split()
    message: Message = {
        "type": "caption", "room": "hall", "track": track, "speaker": speaker, "utterance": utterance, "pass": "live",
        "revision": revision, "final": seq is not None, "language": "en", "start": at, "end": at + 3, "text": text,
        "started_at": (began + timedelta(seconds=at)).isoformat(), "stable": len(words) if stable is None else stable,
    }  # fmt: skip
    if seq is not None:
        message["seq"] = seq
        message["words"] = [{"text": word, "start": at, "end": at + 3, "confidence": 0.9} for word in words]
    return message | other


def track(state: str, *, seq: int, name: str = "main", speaker: str | None = "Ada") -> Message:
    """A track's state."""
    return {"type": "track", "seq": seq, "track": name, "speaker": speaker, "state": state}


@dataclass
class Published:
    """A publisher's connection: its query, the audio it sent from ``offset`` on, and its commands."""

    socket: WebSocket
    query: dict[str, str]
    offset: int
    vocabulary: list[str] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    commands: list[str] = field(default_factory=list)


@dataclass
class Scripted:
    """A server's script, and the requests it received."""

    port: int
    history: list[Message] = field(default_factory=list)
    rooms: list[Message] = field(default_factory=list)
    denial: Refusal | None = None
    sessions: set[str] = field(default_factory=set)
    acknowledges: bool = True
    resumes_at: int = 0
    finishes: bool = True
    warnings: list[Message] = field(default_factory=list)
    session: Message = field(default_factory=lambda: {"available": False, "subject": None})
    viewers: list[WebSocket] = field(default_factory=list)
    views: list[dict[str, str]] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    glossaries: GlossariesHere = field(default_factory=GlossariesHere)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def send(self, *messages: Message) -> None:
        """Send messages to every connected viewer."""
        for viewer in self.viewers:
            for message in messages:
                await viewer.send_text(json.dumps(message))

    async def drop_viewers(self) -> None:
        """Close every viewer's connection."""
        for viewer in self.viewers[:]:
            await viewer.close(1011)

    async def view(self, websocket: WebSocket) -> None:
        self.views.append(dict(websocket.query_params))
        if self.denial is not None:
            await refuse(websocket, self.denial)
            return
        await websocket.accept()
        for message in (*self.history, {"type": "live"}):
            await websocket.send_text(json.dumps(message))
        self.viewers.append(websocket)
        try:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass
        except (WebSocketDisconnect, RuntimeError):  # closed by the test
            pass
        finally:
            self.viewers.remove(websocket)

    async def publish(self, websocket: WebSocket) -> None:
        query = dict(websocket.query_params)
        session = query.get("session")
        if session is not None and session not in self.sessions:
            await refuse(websocket, NotFound(f"no session {session}"))
            return
        if self.denial is not None:
            await refuse(websocket, self.denial)
            return
        resumed = session is not None
        session = session or f"session-{len(self.published)}"
        self.sessions.add(session)
        vocabulary = websocket.query_params.getlist("vocabulary")
        connection = Published(websocket, query, self.resumes_at if resumed else 0, vocabulary)
        self.published.append(connection)
        await websocket.accept()
        ready = {"type": "ready", "session": session, "offset": connection.offset, "resumable": True}
        for message in (ready, *self.warnings):
            await websocket.send_text(json.dumps(message))
        with suppress(WebSocketDisconnect, RuntimeError):  # closed by the page or by the test
            await self._receive(connection)

    async def _receive(self, connection: Published) -> None:
        socket = connection.socket
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (data := message.get("bytes")) is not None:
                connection.audio += data
                if self.acknowledges:
                    offset = connection.offset + len(connection.audio)
                    await socket.send_text(json.dumps({"type": "ack", "offset": offset}))
                continue
            connection.commands.append(json.loads(message["text"])["type"])
            if connection.commands[-1] == "end" and self.finishes:
                await socket.send_text(json.dumps({"type": "done", "offset": 0, "seconds": 1.0}))
                await socket.close(1000)
                return


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """A scripted server with the project's own pages."""
    with listen("127.0.0.1", 0) as sock:
        server = Scripted(sock.getsockname()[1])
        app = FastAPI()
        app.include_router(router)
        app.mount("/static", static_files)

        @app.websocket("/v1/rooms/{room}/captions")
        async def view(websocket: WebSocket, room: str) -> None:  # noqa: ARG001 - every room is the same
            await server.view(websocket)

        @app.websocket("/v1/rooms/{room}/publish")
        async def publish(websocket: WebSocket, room: str) -> None:  # noqa: ARG001 - every room is the same
            await server.publish(websocket)

        @app.get("/v1/rooms")
        async def rooms(request: Request) -> Response:  # noqa: ARG001 - the path's shape
            return JSONResponse(server.rooms)

        @app.post("/v1/tokens")
        async def tokens(token: str) -> dict[str, object]:
            return {"token": f"to-read-of-{token}", "expires_at": 4_000_000_000}

        @app.get("/login/session")
        async def session() -> Response:
            return JSONResponse(server.session)

        @app.get("/v1/rooms/{room}/captions")
        async def why(room: str) -> Response:  # noqa: ARG001 - every room is the same
            return as_response(server.denial) if server.denial is not None else PlainTextResponse("")

        gateway = Gateway(
            memory_log(), SystemClock(), Probe(), EnergyDetector, GatewaySettings(), glossaries=server.glossaries
        )
        app.include_router(glossary_routes(gateway))

        @app.exception_handler(Refusal)
        async def refused(_: Request, refusal: Refusal) -> Response:
            return as_response(refusal)

        policy = BrowserPolicy(app, GatewaySettings(allowed_origins=("*",)), Probe(), closed=True)
        async with serving(policy, sock):
            yield server


async def until(true: Callable[[], bool]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for happens in the browser
            await asyncio.sleep(0.02)
