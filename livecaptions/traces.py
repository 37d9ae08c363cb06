"""The tracer according to the settings. OpenTelemetry is an extra and is only imported if traces are enabled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from captions.errors import SetupError
from captions.ports.clock import Clock
from captions.ports.tracer import NO_TRACES, Tracer
from livecaptions.settings.fields import Settings

if TYPE_CHECKING:
    from monitoring.traces import OpenTelemetryTracer

FLUSH = 3.0
"""The longest time that a stop waits for the collector to accept the last spans, in seconds."""


def check_traces(settings: Settings) -> None:
    """Raise ``SetupError`` if traces are enabled and the extra is missing."""
    if settings.traces_endpoint is not None:
        _make()


def flush_time(settings: Settings) -> float:
    """The part of the drain deadline that is reserved for the last spans, in seconds."""
    return min(FLUSH, settings.drain_deadline / 4) if settings.traces_endpoint is not None else 0.0


@asynccontextmanager
async def tracing(settings: Settings, clock: Clock, service: str) -> AsyncIterator[Tracer]:
    """Create the tracer while the context lasts. Leaving it sends the last spans."""
    if settings.traces_endpoint is None:
        yield NO_TRACES
        return
    tracer = _make()(str(settings.traces_endpoint), clock, service=service, sample=settings.traces_sample)
    try:
        yield tracer
    finally:
        await asyncio.to_thread(tracer.close, flush_time(settings))


def _make() -> Callable[..., "OpenTelemetryTracer"]:
    try:
        from monitoring.traces import otlp_tracer  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise SetupError(
            f"traces_endpoint needs OpenTelemetry ({error.name} is missing): pip install 'livecaptions[traces]'"
        ) from error
    return otlp_tracer
