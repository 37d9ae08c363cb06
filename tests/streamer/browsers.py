"""Requests as browsers send them, to an application in this process."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from captions.access import Principal, Right
from captions.errors import Unauthorized
from captions.ports.audit import NO_AUDIT, Audit
from captions.ports.authenticator import Authenticator
from captions.ports.login import LoginProvider
from captions.ports.probe import Probe
from captions.ports.token_signer import TokenSigner
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from streamer.web.app import create_app
from tests.support import EnergyDetector, LoopClock, memory_log

OWN = "http://captions.example"
FOREIGN = "https://evil.example"
SPEAKER = Principal(rooms=("*",), rights=frozenset({Right.PUBLISH, Right.VIEW}), subject="speaker")


class OneToken:
    """An authenticator that knows one token."""

    async def authenticate(self, token: str | None) -> Principal:
        if token != "good":  # noqa: S105 - no secret
            raise Unauthorized("a token is required")
        return SPEAKER

    def revoked(self, credential: str) -> bool:  # noqa: ARG002 - as the port has it
        return False


class Site:
    """The application, and how browsers ask it."""

    def __init__(self, gateway: Gateway, login: LoginProvider | None = None) -> None:
        self.gateway = gateway
        self.app = create_app(gateway, login)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url=OWN)

    async def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Send a request; ``last_event_id`` is the header Last-Event-ID."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, headers=named)

    async def socket(self, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
        """Open a socket. Returns 101, or the status and the body of its refusal."""
        path, _, query = path.partition("?")
        named = {"host": "captions.example"} | headers
        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
            "scheme": "ws", "server": ("captions.example", 80), "client": ("127.0.0.1", 1), "subprotocols": [],
            "extensions": {"websocket.http.response": {}, "livecaptions.frames": {}}, "http_version": "1.1",
        }  # fmt: skip
        to_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        to_app.put_nowait({"type": "websocket.connect"})
        status, body = asyncio.get_running_loop().create_future(), bytearray()

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
            if message["type"] == "websocket.accept":
                status.set_result(101)
                to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})
            elif message["type"] == "websocket.http.response.start":
                status.set_result(message["status"])
            elif message["type"] == "websocket.http.response.body":
                body.extend(message["body"])

        await self.app(scope, to_app.get, send)
        return await status, json.loads(body or b"{}")


@asynccontextmanager
async def site(
    *,
    authenticator: Authenticator | None = None,
    signer: TokenSigner | None = None,
    login: LoginProvider | None = None,
    audit: Audit = NO_AUDIT,
    **settings: Any,  # noqa: ANN401 - the gateway's own
) -> AsyncIterator[Site]:
    """The application of one gateway while the context lasts; open without an ``authenticator``."""
    gateway = Gateway(
        memory_log(), LoopClock(), Probe(), EnergyDetector, GatewaySettings(**settings),
        authenticator=authenticator, signer=signer, audit=audit,
    )  # fmt: skip
    made = Site(gateway, login)
    async with made.http:
        yield made
    await gateway.close()
