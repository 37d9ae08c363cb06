"""What browsers are told about every response, and which sites' pages may read it. ASGI middleware."""

from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from captions.errors import Forbidden
from captions.ports.probe import Probe
from streamer.settings import GatewaySettings
from streamer.web.credentials import token_of
from streamer.web.origins import ANY, check_host
from streamer.web.refusals import SAFE, as_response, refuse

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""The content security policy of what is no page: if a browser shows it as one, it can do nothing."""

STATIC = "/static/"
API = "/v1/"


class BrowserPolicy:
    """Wraps an application. It is outermost, so that no response leaves without these headers.

    Sockets cost one look at the request. Browsers read no headers of theirs. ``closed``: requests need a token.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings, probe: Probe, *, closed: bool) -> None:
        self._app = CrossOrigin(app, settings, closed=closed)
        self._settings = settings
        self._probe = probe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                _make_safe(MutableHeaders(scope=message), scope["path"])
            await send(message)

        sending = safely if scope["type"] == "http" else send
        try:
            check_host(HTTPConnection(scope), self._settings)
        except Forbidden as refusal:
            self._probe.refused(refusal.code)
            await _refuse(scope, receive, sending, refusal)
            return
        await self._app(scope, receive, sending)


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Forbidden) -> None:
    if scope["type"] == "http":
        await as_response(refusal)(scope, receive, send)
    else:
        await refuse(WebSocket(scope, receive, send), refusal)


def _make_safe(headers: MutableHeaders, path: str) -> None:
    for name, value in SAFE.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", NOTHING)
    # other sites import the client's modules, and read the rest by CORS or not at all
    headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if path.startswith(STATIC) else "same-origin")
    headers.setdefault("Cache-Control", "no-store")
    if path.startswith(API):
        headers.add_vary_header("Origin")


class CrossOrigin:
    """CORS: lets pages of other sites read responses, without cookies.

    Those of listed origins may. Others may read the client's modules, and what they have a token for: whether the
    request is admitted is decided in ``streamer.web.credentials``.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings, *, closed: bool) -> None:
        self._closed = closed
        self._listed = _cors(app, settings.allowed_origins)
        self._any = _cors(app, {ANY})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        with_token = scope["type"] == "http" and self._by_token(Request(scope))
        await (self._any if with_token else self._listed)(scope, receive, send)

    def _by_token(self, request: Request) -> bool:
        if request.scope["path"].startswith(STATIC):
            return True
        if not self._closed or not request.scope["path"].startswith(API):
            return False
        # a preflight request comes before the one with the header
        return request.method == "OPTIONS" or token_of(request) is not None


def _cors(app: ASGIApp, origins: Collection[str]) -> CORSMiddleware:
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST", "PUT", "DELETE"),
        allow_headers=("Authorization", "Last-Event-ID", "Content-Type", "If-Match"),
        expose_headers=("ETag", "Retry-After"),
    )
