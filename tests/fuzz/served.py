"""A server for schemathesis: somebody has spoken in room `hall`, and event streams end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.authenticator import TokenAuthenticator
from auth.room_tokens import RoomTokens
from auth.static_tokens import StaticTokens
from captions.access import Right
from captions.errors import Forbidden
from livecaptions.clock import SystemClock
from monitoring.endpoints import health, metrics_endpoint
from streamer.web.credentials import principal_of
from streamer.web.openapi import WITH_TOKEN, refusals
from tests.streamer.speaking import AUDIO, END, SCRIPT, send
from tests.streamer.system import Conversation, System, principal, running

TOKEN = "a-token"  # noqa: S105 - of tests
"""It has all rights in all rooms."""
WEAK_TOKEN = "a-weak-token"  # noqa: S105 - of tests
"""It may publish in room `side`, and nothing else."""


class EndEventStreams:
    """Ends each event stream once it is live: it would have no end, and a tester reads bodies to their end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        live = False

        async def receive_or_leave() -> Message:
            return {"type": "http.disconnect"} if live else await receive()

        async def send_until_live(message: Message) -> None:
            nonlocal live
            if b"event: live" in message.get("body", b""):
                live = True
                await send({**message, "more_body": False})
            elif not live:
                await send(message)

        await self._app(scope, receive_or_leave, send_until_live)


@asynccontextmanager
async def served(**settings: Any) -> AsyncIterator[System]:  # noqa: ANN401 - the gateway's own
    """A system with every route of a gateway, and captions in room `hall`."""
    clock = SystemClock()
    signer = RoomTokens(lambda: "secret" * 8, clock)
    tokens = StaticTokens({TOKEN: principal("*", *Right), WEAK_TOKEN: principal("side", Right.PUBLISH)})
    authenticator = TokenAuthenticator(clock, static=tokens, rooms=signer)
    async with running(SCRIPT, authenticator=authenticator, signer=signer, **settings) as system:
        _add_operators_routes(system)
        system.app.add_middleware(EndEventStreams)
        async with system.publisher(token=TOKEN) as socket:
            talk = Conversation(socket)
            await talk.of("ready")
            await send(talk, AUDIO)
            await socket.send(END)
            await talk.rest()
        yield system


def _add_operators_routes(system: System) -> None:
    async def admit(request: Request) -> None:
        (await principal_of(request, system.gateway)).require_right(Right.OPERATE)

    system.app.include_router(health(list))
    metrics = metrics_endpoint(lambda: (b"metric 1\n", "text/plain; version=1"), admit)
    system.app.include_router(metrics, responses=refusals(Forbidden, *WITH_TOKEN))
