"""The endpoints ``/healthz``, ``/readyz`` and ``/metrics``, which every role serves."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

Render = Callable[[], tuple[bytes, str]]
"""Returns the metrics and their content type."""

NotReady = Callable[[], Sequence[str]]
"""Returns the reasons why the process is not ready; an empty sequence if it is."""


Admit = Callable[[Request], Awaitable[None]]
"""Checks a request."""


class Ready(BaseModel):
    """Whether the process is ready, and why not."""

    ready: bool
    reasons: list[str]


_READY: dict[str, Any] = {"model": Ready, "description": "Whether the process is ready (200) or not (503)."}
_METRICS: dict[str, Any] = {
    "description": "The metrics in Prometheus's text format.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


class Readiness:
    """The readiness of a process that serves HTTP before it can work.

    Until ``started`` is called, the only reason is ``starting``.
    """

    def __init__(self, starting: str) -> None:
        self.starting = starting
        self._running: NotReady | None = None

    def started(self, running: NotReady) -> None:
        """Use ``running`` for the reasons from now on."""
        self._running = running

    def reasons(self) -> Sequence[str]:
        """The reasons why the process is not ready."""
        return [self.starting] if self._running is None else self._running()


def health(not_ready: NotReady) -> APIRouter:
    """The routes for those who start and stop the process. They tell nothing about its users."""
    router = APIRouter()

    @router.get("/healthz", summary="Alive", response_class=PlainTextResponse)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.get("/readyz", summary="Ready for work", responses={200: _READY, 503: _READY})
    async def readyz() -> Response:
        reasons = list(not_ready())
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    return router


def metrics_endpoint(metrics: Render, admit: Admit | None = None) -> APIRouter:
    """The route for Prometheus. ``admit`` raises what a request gets that may not read metrics."""
    router = APIRouter()

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses={200: _METRICS})
    async def prometheus(request: Request) -> Response:
        if admit is not None:
            await admit(request)
        body, content_type = metrics()
        return Response(body, headers={"Content-Type": content_type})

    return router


def endpoints_alone(metrics: Render, not_ready: NotReady) -> FastAPI:
    """An application with only these routes, for a process without clients."""
    app = FastAPI(title="livecaptions", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health(not_ready))
    app.include_router(metrics_endpoint(metrics))
    return app
