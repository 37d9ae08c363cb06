"""Spans kept in this process, and what tests ask of them."""

from collections.abc import Sequence
from itertools import groupby

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from captions.ports.clock import Clock
from monitoring.traces import OpenTelemetryTracer

Span = tuple[str, str]
"""Its name and its parent's; the parent of a root is empty."""


class Traces:
    """A tracer and the spans it made."""

    def __init__(self, clock: Clock, *, sample: float | None = None, service: str = "tests") -> None:
        self._exporter = InMemorySpanExporter()
        self.tracer = OpenTelemetryTracer(SimpleSpanProcessor(self._exporter), clock, service=service, sample=sample)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]


def trace_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def by_trace(spans: Sequence[ReadableSpan]) -> list[list[ReadableSpan]]:
    """The spans of each trace, in the order in which the traces began."""
    traces = [list(group) for _, group in groupby(sorted(spans, key=trace_id), key=trace_id)]
    return sorted(traces, key=lambda trace: min(span.start_time or 0 for span in trace))


def shape(trace: Sequence[ReadableSpan]) -> set[Span]:
    """Which spans there are, under which. Every parent is there, and there is one root."""
    names = {span_id(span): span.name for span in trace}
    assert len(names) == len(trace), "two spans with one id"
    assert sum(span.parent is None for span in trace) == 1, "not one root"
    return {(span.name, names[span.parent.span_id] if span.parent is not None else "") for span in trace}


def attributes(span: ReadableSpan) -> dict[str, object]:
    """Its attributes, without our prefix."""
    return {name.removeprefix("livecaptions."): value for name, value in (span.attributes or {}).items()}
