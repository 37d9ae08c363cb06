"""The Tracer port on OpenTelemetry: spans in batches to a collector over OTLP/HTTP. Needs the extra ``traces``.

The SDK reads its own environment (``OTEL_*``): what a collector asks for in headers and certificates, how much is
queued, what the resource is called. No provider is made the process's own, so that libraries trace nothing here.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from logging import ERROR, getLogger
from urllib.parse import urlsplit

import structlog
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context as Scope
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBasedTraceIdRatio
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from captions.caption import CaptionId
from captions.ports.clock import Clock
from captions.ports.tracer import NO_CONTEXT, Context, Tracer
from captions.track import TrackId

logger = structlog.get_logger(__name__)

MAX_OPEN = 10_000
"""Utterances whose finals are awaited; the traces of older ones are ended without."""

UNKNOWN = "unknown_service"
"""What the SDK calls a service to which the environment gives no name."""

_TRACE_CONTEXT = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()
_MODEL, _GATES = "model", "gates"


class _Given(IdGenerator):
    """Gives a span the place of one that another process began."""

    def __init__(self) -> None:
        self.context = INVALID_SPAN_CONTEXT

    def generate_trace_id(self) -> int:
        return self.context.trace_id

    def generate_span_id(self) -> int:
        return self.context.span_id


class OpenTelemetryTracer(Tracer):
    """Spans of what the hooks tell, handed to ``processor`` as they end.

    The root is the utterance; it is ended by the gateway that holds its track, when the final was handed to viewers.
    ``service`` names the process where the environment does not. ``sample`` is the share of utterances that are
    traced, in 0..1; None leaves it to the environment, and all where that says nothing.
    """

    def __init__(self, processor: SpanProcessor, clock: Clock, *, service: str, sample: float | None = None) -> None:
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith(UNKNOWN):
            resource = resource.merge(Resource({SERVICE_NAME: service}))
        sampler = ParentBasedTraceIdRatio(sample) if sample is not None else None
        self._clock = clock
        self._given = _Given()
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        resumed = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=self._given, shutdown_on_exit=False)
        for provider in (self._provider, resumed):
            provider.add_span_processor(processor)
        self._spans = self._provider.get_tracer("livecaptions")
        self._resumed = resumed.get_tracer("livecaptions")
        self._open: dict[CaptionId, Span] = {}

    def utterance_opened(self, utterance: CaptionId, ago: float) -> Context:
        """Begin the root."""
        span = self._spans.start_span("utterance", Scope(), start_time=_ns(self._clock.wall() - ago))
        self._hold(utterance, span)
        return _carried(span)

    def utterance_resumed(self, utterance: CaptionId, context: Context, since: float) -> None:
        """Begin the same root again: where it was begun first it will not be ended."""
        root = get_current_span(_TRACE_CONTEXT.extract(context, Scope())).get_span_context()
        if root.trace_flags.sampled:
            self._given.context = root
            self._hold(utterance, self._resumed.start_span("utterance", Scope(), start_time=_ns(since)))

    def utterance_ended(self, utterance: CaptionId, duration: float, reason: str) -> None:
        """Note when and why."""
        if (span := self._open.get(utterance)) is not None:
            span.set_attributes({"livecaptions.seconds": duration, "livecaptions.end_reason": reason})
            span.add_event("ended", timestamp=self._now())

    def track_left(self, track: TrackId) -> None:
        """Forget the roots: another ends them."""
        for utterance in [held for held in self._open if held.track == track]:
            del self._open[utterance]

    def decoded(
        self,
        context: Context,
        *,
        kind: str,
        model: str,
        batch: int,
        audio: float,
        took: float,
        redecoded: bool,
        failed: bool,
    ) -> Context:
        """A span of the decode."""
        scope = _scope(context)
        if scope is None:
            return NO_CONTEXT
        now = self._now()
        span = self._spans.start_span(f"decode {kind}", scope, SpanKind.CONSUMER, start_time=now - _ns(took))
        span.set_attributes(
            {
                "livecaptions.model": model,
                "livecaptions.batch": batch,
                "livecaptions.audio_seconds": audio,
                "livecaptions.redecoded": redecoded,
            }
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR, "the engine failed on it"))
        span.end(now)
        return _carried(span)

    @contextmanager
    def publishing(
        self, context: Context, *, kind: str, model: str, words: int, gates: Sequence[str]
    ) -> Iterator[Context]:
        """A span while the caption is put on the log; its record carries what the root is to know."""
        scope = _scope(context)
        if scope is None:
            yield NO_CONTEXT
            return
        span = self._spans.start_span(f"publish {kind}", scope, SpanKind.PRODUCER, start_time=self._now())
        span.set_attributes({"livecaptions.words": words, "livecaptions.gates": tuple(gates)})
        try:
            yield _carried(span, **{_MODEL: model, _GATES: " ".join(gates)} if kind == "final" else {})
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            span.end(self._now())

    def delivered(
        self, caption: CaptionId, context: Context, *, kind: str, language: str, words: int, since: float, viewers: int
    ) -> None:
        """A span from the log to the viewers' queues; a final ends the root where it is held."""
        scope, now = _scope(context), self._now()
        if scope is not None and viewers:
            begun = min(_ns(since), now)
            span = self._spans.start_span(f"deliver {kind}", scope, SpanKind.CONSUMER, start_time=begun)
            span.set_attribute("livecaptions.viewers", viewers)
            span.end(now)
        if kind == "final" and (root := self._open.pop(caption, None)) is not None:
            said = _BAGGAGE.extract(context, Scope())
            root.set_attributes(
                {
                    "livecaptions.language": language,
                    "livecaptions.words": words,
                    "livecaptions.model": str(baggage.get_baggage(_MODEL, said) or ""),
                    "livecaptions.gates": str(baggage.get_baggage(_GATES, said) or "").split(),
                }
            )
            root.end(now)

    def close(self, within: float) -> None:
        """End what is open and hand over what waits, or give that up after ``within`` seconds. Blocks."""
        for utterance in list(self._open):
            self._give_up(utterance)
        flushing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        flushing.start()
        flushing.join(within)
        if flushing.is_alive():
            logger.warning("last_spans_given_up", within=within)

    def _hold(self, utterance: CaptionId, root: Span) -> None:
        if not root.is_recording():
            return
        names = {f"livecaptions.{field}": name for field, name in utterance.track.describe().items()}
        root.set_attributes({**names, "livecaptions.utterance": utterance.utterance})
        self._open[utterance] = root
        if len(self._open) > MAX_OPEN:
            self._give_up(next(iter(self._open)))

    def _give_up(self, utterance: CaptionId) -> None:
        root = self._open.pop(utterance)
        root.set_status(Status(StatusCode.ERROR, "its final was not waited for any longer"))
        root.end(self._now())

    def _now(self) -> int:
        return _ns(self._clock.wall())


def otlp_tracer(endpoint: str, clock: Clock, *, service: str, sample: float | None) -> OpenTelemetryTracer:
    """A tracer that sends to an OTLP/HTTP collector, from a thread of its own; spans that it cannot take are dropped.

    ``endpoint`` is the collector's address.
    """
    getLogger(OTLPSpanExporter.__module__).setLevel(ERROR)  # each batch given up is told of, not each try
    return OpenTelemetryTracer(
        BatchSpanProcessor(OTLPSpanExporter(traces_url(endpoint))), clock, service=service, sample=sample
    )


def traces_url(endpoint: str) -> str:
    """Where the collector at ``endpoint`` takes traces: at OTLP/HTTP's own path for them, where none is given."""
    return endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint.rstrip('/')}/v1/traces"


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _scope(context: Context) -> Scope | None:
    """The parent that a record carries; None where it carries none, or nonsense."""
    scope = _TRACE_CONTEXT.extract(context, Scope())
    return scope if get_current_span(scope).get_span_context().is_valid else None


def _carried(span: Span, **facts: str) -> Context:
    scope = set_span_in_context(span, Scope())
    for name, value in facts.items():
        scope = baggage.set_baggage(name, value, scope)
    carrier: dict[str, str] = {}
    _TRACE_CONTEXT.inject(carrier, scope)
    _BAGGAGE.inject(carrier, scope)
    return carrier
