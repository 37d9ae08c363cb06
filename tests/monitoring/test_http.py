"""Plain HTTP requests measured around a whole application."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocket

from captions.ports.probe import Probe
from monitoring.endpoints import health, metrics_endpoint
from monitoring.http import MeasuredRequests
from tests.support import LoopClock

Call = tuple[str, str, int]


class Recording(Probe):
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.took: list[float] = []

    def http_answered(self, route: str, method: str, status: int, took: float) -> None:
        self.calls.append((route, method, status))
        self.took.append(took)


def application(folder: str) -> FastAPI:
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"])
    app.include_router(health(list))
    app.include_router(metrics_endpoint(lambda: (b"", "text/plain")))
    app.mount("/static", StaticFiles(directory=folder))

    @app.get("/rooms/{room}")
    async def room(room: str) -> Response:
        return PlainTextResponse(room)

    @app.get("/broken")
    async def broken() -> Response:
        raise RuntimeError("on purpose")

    @app.get("/events")
    async def events() -> Response:
        async def forever() -> AsyncIterator[bytes]:
            await asyncio.sleep(0.5)
            for number in range(3):
                yield b"%d" % number
                await asyncio.sleep(60)

        return StreamingResponse(forever())

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    return app


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("GET", "/rooms/hall", ("/rooms/{room}", "GET", 200)),
        ("GET", "/rooms/other?x=1", ("/rooms/{room}", "GET", 200)),
        ("GET", "/healthz", ("/healthz", "GET", 200)),
        ("GET", "/no/such/path", ("unknown", "GET", 404)),
        ("GET", "/static/here.css", ("/static", "GET", 200)),
        ("GET", "/static/nowhere.css", ("/static", "GET", 404)),
        ("POST", "/healthz", ("/healthz", "POST", 405)),
        ("BREW", "/healthz", ("/healthz", "unknown", 405)),
        ("GET", "/broken", ("/broken", "GET", 500)),
    ],
)
@pytest.mark.looptime
async def test_a_request_is_counted_under_its_routes_template(
    method: str, path: str, call: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("static")
    (folder / "here.css").write_text("")
    probe = Recording()
    client = TestClient(MeasuredRequests(application(str(folder)), FixedClock(), probe), raise_server_exceptions=False)
    client.request(method, path)
    assert probe.calls == [call]


class FixedClock:
    def monotonic(self) -> float:
        return 1.0

    def wall(self) -> float:
        return 1.0


def test_sockets_are_no_requests(tmp_path: object) -> None:
    probe = Recording()
    client = TestClient(MeasuredRequests(application(str(tmp_path)), FixedClock(), probe))
    with client.websocket_connect("/socket"):
        pass
    assert probe.calls == []


@pytest.mark.looptime
async def test_a_stream_is_measured_to_its_beginning_and_not_held_back(tmp_path: object) -> None:
    loop = asyncio.get_running_loop()
    probe = Recording()
    app = MeasuredRequests(application(str(tmp_path)), LoopClock(), probe)
    sent: list[tuple[float, Message]] = []

    async def receive() -> Message:
        await asyncio.sleep(1000)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append((loop.time(), message))

    scope = {"type": "http", "method": "GET", "path": "/events", "headers": [], "query_string": b"", "root_path": ""}
    await app(scope, receive, send)
    assert probe.calls == [("/events", "GET", 200)]
    assert probe.took[0] < 0.5
    bodies = [(at, message["body"]) for at, message in sent if message["type"] == "http.response.body"]
    assert [body for _, body in bodies] == [b"0", b"1", b"2", b""]
    assert [round(at - bodies[0][0]) for at, _ in bodies] == [0, 60, 120, 180]
