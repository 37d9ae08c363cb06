"""The tracer that the settings ask for. OpenTelemetry is an extra: it is imported where traces are wanted."""

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
"""Seconds that a stop waits at most for the collector to take the last spans."""


def check_traces(settings: Settings) -> None:
    """Raise ``SetupError`` where traces are wanted and the extra is missing."""
    if settings.traces_endpoint is not None:
        _make()


def flush_time(settings: Settings) -> float:
    """Seconds of the drain deadline that are kept for the last spans."""
    return min(FLUSH, settings.drain_deadline / 4) if settings.traces_endpoint is not None else 0.0


@asynccontextmanager
async def tracing(settings: Settings, clock: Clock, service: str) -> AsyncIterator[Tracer]:
    """The tracer while the context lasts; leaving it hands over the last spans."""
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
        from monitoring.traces import otlp_tracer  # noqa: PLC0415 - only where it is wanted
    except ModuleNotFoundError as error:
        raise SetupError(
            f"traces_endpoint needs OpenTelemetry ({error.name} is not there): pip install 'livecaptions[traces]'"
        ) from error
    return otlp_tracer
