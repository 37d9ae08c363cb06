"""Rate, errors and duration of plain HTTP requests, as ASGI middleware around an application."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captions.ports.clock import Clock
from captions.ports.probe import Probe

UNKNOWN = "unknown"
"""The route of requests that none matches, and the method of those that HTTP does not define: one label for all."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MeasuredRequests:
    """The application, its plain HTTP requests measured to the start of their responses: an event stream has no end."""

    def __init__(self, app: ASGIApp, clock: Clock, probe: Probe) -> None:
        self._app = app
        self._clock = clock
        self._probe = probe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METHODS else UNKNOWN
                took = self._clock.monotonic() - began
                self._probe.http_answered(route_of(scope), method, message["status"], took)
            await send(message)

        await self._app(scope, receive, measured)


def route_of(scope: Scope) -> str:
    """The template of the route that a request was given to, as the routers left it in the scope."""
    path = getattr(scope.get("route"), "path", None)
    return path or scope.get("root_path") or UNKNOWN  # a mounted application: where it is mounted
