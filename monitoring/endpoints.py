"""``/healthz``, ``/readyz`` and ``/metrics``: the same for every role."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse, PlainTextResponse, Response

Render = Callable[[], tuple[bytes, str]]
"""The metrics and their content type."""

NotReady = Callable[[], Sequence[str]]
"""Why the process is not ready for work; nothing where it is."""


class Readiness:
    """What a process that answers before it can work is not ready for: ``starting`` until it has ``started``."""

    def __init__(self, starting: str) -> None:
        self.starting = starting
        self._running: NotReady | None = None

    def started(self, running: NotReady) -> None:
        """From now on ``running`` tells."""
        self._running = running

    def reasons(self) -> Sequence[str]:
        """Why the process is not ready for work."""
        return [self.starting] if self._running is None else self._running()


def endpoints(metrics: Render, not_ready: NotReady) -> APIRouter:
    """The routes that operators and their tools ask."""
    router = APIRouter()

    @router.get("/healthz", summary="Alive")
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.get("/readyz", summary="Ready for work")
    async def readyz() -> Response:
        reasons = list(not_ready())
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    @router.get("/metrics", summary="Prometheus metrics")
    async def prometheus() -> Response:
        body, content_type = metrics()
        return Response(body, headers={"Content-Type": content_type})

    return router


def endpoints_alone(metrics: Render, not_ready: NotReady) -> FastAPI:
    """An application of nothing else, for a process without clients."""
    app = FastAPI(title="livecaptions", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(endpoints(metrics, not_ready))
    return app
