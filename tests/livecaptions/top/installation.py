"""A gateway's and a worker's pages of metrics, served for real, and what is counted on them set by the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from livecaptions.server import listen, serving


@dataclass
class Page:
    """One process; metrics come to be as they are named."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    metrics: dict[str, Counter | Gauge | Histogram] = field(default_factory=dict)
    status: int = 200

    def count(self, name: str, by: float, **labels: str) -> None:
        metric = self.metrics.setdefault(name, Counter(name, "-", list(labels), registry=self._for(name)))
        assert isinstance(metric, Counter)
        (metric.labels(**labels) if labels else metric).inc(by)

    def set(self, name: str, to: float, **labels: str) -> None:
        metric = self.metrics.setdefault(name, Gauge(name, "-", list(labels), registry=self._for(name)))
        assert isinstance(metric, Gauge)
        (metric.labels(**labels) if labels else metric).set(to)

    def observe(self, name: str, *values: float) -> None:
        bounds = (0.2, 0.4, 0.9, 1.5, 2.0, 5.0)
        metric = self.metrics.setdefault(name, Histogram(name, "-", registry=self._for(name), buckets=bounds))
        assert isinstance(metric, Histogram)
        for value in values:
            metric.observe(value)

    def restart(self) -> None:
        """Everything counts from zero."""
        self.registry, self.metrics = CollectorRegistry(), {}

    def _for(self, name: str) -> CollectorRegistry | None:
        return None if name in self.metrics else self.registry

    def response(self) -> Response:
        return Response(generate_latest(self.registry), self.status, media_type="text/plain")


@asynccontextmanager
async def served(page: Page) -> AsyncIterator[str]:
    """The page's address while the context lasts."""
    app = FastAPI()
    app.get("/metrics")(page.response)
    sock = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with serving(app, sock):
        yield address
