"""Tokens in addresses, headers and cookies: no log of any level, metric or trace of a server has them.

Every route and socket is asked with marked tokens, also where it fails. The libraries' loggers are as talkative as they
can be, which no setting makes them.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Literal

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from captions.audio import to_bytes
from captions.errors import LogError
from captions.track import RoomId
from livecaptions.clock import SystemClock
from livecaptions.probes import serve_probe
from livecaptions.server import listen, serving
from livecaptions.settings.fields import Settings
from monitoring.http import MeasuredRequests
from monitoring.logs import CHATTY, configure_logs
from streamer.rooms.room import Room
from tests.streamer.speaking import END, send
from tests.streamer.system import Conversation, System, principal, running
from tests.support import script_of
from tests.traces import Traces

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(1)
MARK = "MARKED"
GOOD, BAD = f"{MARK}-good.x_y~z", f"{MARK}-bad%2Fx%20y"
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": f"Bearer {GOOD}"},
    {"Authorization": f"Bearer {MARK}-bad"},
    {"Cookie": f"livecaptions_session={MARK}-c; livecaptions_login=hall:{MARK}-l"},
)
QUERIES = (
    "",
    f"?token={GOOD}",
    f"?token={BAD}&track=a%20b&after=x",
    f"?after=-1&token={GOOD}",
    f"?code={MARK}&state={MARK}",
)
TALKATIVE = (*CHATTY, "uvicorn.access", "uvicorn.asgi", "asyncio", "fastapi", "starlette")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@asynccontextmanager
async def measured(system: System, probe: object) -> AsyncIterator[System]:
    """The same application as an operator runs it: its requests are measured."""

    @system.app.get("/fails")
    async def fails(request: Request) -> None:
        raise RuntimeError(f"cannot handle {request.url} with {dict(request.headers)}; lct_{MARK}.a-b_c.d")

    with listen("127.0.0.1", 0) as sock:
        async with serving(MeasuredRequests(system.app, SystemClock(), probe), sock):  # type: ignore[arg-type] # a probe
            for name in TALKATIVE:
                logging.getLogger(name).setLevel(1)
                logging.getLogger(name).propagate = True
            yield replace(system, port=sock.getsockname()[1])


def paths(routes: list[BaseRoute]) -> set[tuple[str, str]]:
    """The kind and path of everything that the router knows."""
    found: set[tuple[str, str]] = set()
    for route in routes:
        if isinstance(route, WebSocketRoute):
            found.add(("ws", route.path))
        elif isinstance(route, Mount):
            found |= {("http", f"{route.path}/client.js"), ("http", f"{route.path}/nothing.js")}
        elif isinstance(route, Route):
            found |= {("http", route.path)}
        else:
            found |= paths(route.original_router.routes)  # type: ignore[attr-defined] # FastAPI's own
    return found | {("http", "/nowhere"), ("http", "/r/no%20name")}


async def ask_everything(system: System) -> None:
    """Every route and socket with every kind of token, in a room without captions."""
    host = f"127.0.0.1:{system.port}"
    asked = sorted(paths(system.app.routes))
    assert len(asked) > 12
    async with httpx.AsyncClient(timeout=5) as http:
        for kind, template in asked:
            path = template.replace("{room}", "hall").replace("{path:path}", "nothing")
            for query in QUERIES:
                for headers in HEADERS:
                    if kind == "ws":
                        with suppress(InvalidStatus, ConnectionClosed):
                            async with connect(f"ws://{host}{path}{query}", additional_headers=headers) as socket:
                                await socket.recv()
                        continue
                    for method in ("GET", "POST"):
                        async with http.stream(method, f"http://{host}{path}{query}", headers=headers):
                            pass  # of an event stream the head is enough


@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_log_metric_or_trace_has_a_token(
    form: Literal["json", "console"], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, traces = serve_probe(Settings()), Traces(SystemClock())
    configure_logs(form, "debug")
    tokens = {GOOD: principal("*", "publish", "view")}
    async with AsyncExitStack() as stack:
        within = await stack.enter_async_context(running(SCRIPT, tracer=traces.tracer, probe=probe, tokens=tokens))
        system = await stack.enter_async_context(measured(within, probe))
        await ask_everything(system)
        async with system.viewer("talk", token=GOOD) as viewing, system.publisher("talk", token=GOOD) as speaking:
            talk = Conversation(speaking)
            await talk.of("ready")
            await send(talk, to_bytes(PCM))
            await speaking.send(END)
            await talk.rest()
            await Conversation(viewing).next(lambda message: message.get("final") is True)
        await fail_within(system, monkeypatch)
    written = capsys.readouterr().err
    at = written.find(MARK)
    assert at < 0, written[max(0, at - 300) : at + 100]
    assert written.count("token=REMOVED") > 10, "the libraries did log addresses"
    assert "Bearer REMOVED" in written
    assert "cannot handle http" in written, "with the traceback of the failure"
    assert MARK not in probe.render()[0].decode()
    assert len(traces.spans) > 3
    assert MARK not in "".join(span.to_json() for span in traces.spans)


async def fail_within(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that fail after they were admitted, with the address in the error."""

    async def fails(room: RoomId) -> Room:
        raise LogError(f"the log failed at {room.key}?token={GOOD} (Authorization: Bearer {GOOD})")

    async def explodes(*_: object) -> None:
        raise OSError(f"wss://captions.example/v1/rooms/hall/publish?x=1&token={GOOD}")

    monkeypatch.setattr(system.gateway.hub, "open", fails)
    monkeypatch.setattr(system.gateway, "publish", explodes)
    async with httpx.AsyncClient(base_url=system.http) as http:
        for path in ("captions", "transcript"):
            assert (await http.get(f"/v1/rooms/hall/{path}?token={GOOD}")).status_code == 500
    for socket in (system.viewer(token=GOOD), system.publisher(token=GOOD)):
        with pytest.raises(InvalidStatus) as refusal:
            await socket
        assert refusal.value.response.status_code == 500
        assert MARK.encode() not in (refusal.value.response.body or b"")
