"""ASGI middleware that measures the rate, errors and duration of plain HTTP requests."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captions.ports.clock import Clock
from captions.ports.probe import Probe

UNKNOWN = "unknown"
"""The label for requests without a matching route, and for methods that HTTP does not define."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MeasuredRequests:
    """Wraps an application. Durations end at the start of the response, because event streams have no end."""

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
    """The template of the matched route, which the router stores in the scope."""
    path = getattr(scope.get("route"), "path", None)
    return path or scope.get("root_path") or UNKNOWN  # root_path: where an application is mounted
