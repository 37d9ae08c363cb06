"""The Tracer port with OpenTelemetry. Spans go to a collector in batches over OTLP/HTTP. Needs the extra ``traces``.

The SDK reads ``OTEL_*`` environment variables: headers and certificates for the collector, queue sizes, and the name of
the service. The tracer providers are not registered globally, so libraries create no spans here.
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
"""The most utterances that wait for their finals. Beyond it, the oldest trace is ended without a final."""

UNKNOWN = "unknown_service"
"""The SDK's name for a service that the environment does not name."""

_TRACE_CONTEXT = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()
_MODEL, _GATES = "model", "gates"


class _FixedIds(IdGenerator):
    """Gives the next span the ids of ``context``, to continue a span that another process started."""

    def __init__(self) -> None:
        self.context = INVALID_SPAN_CONTEXT

    def generate_trace_id(self) -> int:
        return self.context.trace_id

    def generate_span_id(self) -> int:
        return self.context.span_id


class OpenTelemetryTracer(Tracer):
    """Creates spans from the hooks and passes them to ``processor`` when they end.

    The root span is the utterance. The gateway that holds its track ends it when the final was queued for the viewers.
    ``service`` is the name of the service if the environment gives none. ``sample`` is the share of utterances to
    trace, in 0..1; with None the environment decides, and the default is to trace all.
    """

    def __init__(self, processor: SpanProcessor, clock: Clock, *, service: str, sample: float | None = None) -> None:
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith(UNKNOWN):
            resource = resource.merge(Resource({SERVICE_NAME: service}))
        sampler = ParentBasedTraceIdRatio(sample) if sample is not None else None
        self._clock = clock
        self._fixed_ids = _FixedIds()
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        resumed = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, id_generator=self._fixed_ids, shutdown_on_exit=False
        )
        for provider in (self._provider, resumed):
            provider.add_span_processor(processor)
        self._spans = self._provider.get_tracer("livecaptions")
        self._resumed = resumed.get_tracer("livecaptions")
        self._open: dict[CaptionId, Span] = {}

    def utterance_opened(self, utterance: CaptionId, ago: float) -> Context:
        """Start the root span."""
        span = self._spans.start_span("utterance", Scope(), start_time=_ns(self._clock.wall() - ago))
        self._hold(utterance, span)
        return _carried(span)

    def utterance_resumed(self, utterance: CaptionId, context: Context, since: float) -> None:
        """Start the root span again with the same ids. The gateway that started it first will not end it."""
        root = get_current_span(_TRACE_CONTEXT.extract(context, Scope())).get_span_context()
        if root.trace_flags.sampled:
            self._fixed_ids.context = root
            self._hold(utterance, self._resumed.start_span("utterance", Scope(), start_time=_ns(since)))

    def utterance_ended(self, utterance: CaptionId, duration: float, reason: str) -> None:
        """Record the length and the reason in the root span."""
        if (span := self._open.get(utterance)) is not None:
            span.set_attributes({"livecaptions.seconds": duration, "livecaptions.end_reason": reason})
            span.add_event("ended", timestamp=self._now())

    def track_left(self, track: TrackId) -> None:
        """Drop the track's root spans. Another gateway ends them."""
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
        """Create a span for the decode."""
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
            span.set_status(Status(StatusCode.ERROR, "the engine failed to decode it"))
        span.end(now)
        return _carried(span)

    @contextmanager
    def publishing(
        self, context: Context, *, kind: str, model: str, words: int, gates: Sequence[str]
    ) -> Iterator[Context]:
        """Create a span for the append of a caption. The record carries attributes for the root span."""
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
        """Create a span from the append to the viewers' queues. A final ends a root span held here."""
        scope, now = _scope(context), self._now()
        if scope is not None and viewers:
            begun = min(_ns(since), now)
            span = self._spans.start_span(f"deliver {kind}", scope, SpanKind.CONSUMER, start_time=begun)
            span.set_attribute("livecaptions.viewers", viewers)
            span.end(now)
        if kind == "final" and (root := self._open.pop(caption, None)) is not None:
            carried = _BAGGAGE.extract(context, Scope())
            root.set_attributes(
                {
                    "livecaptions.language": language,
                    "livecaptions.words": words,
                    "livecaptions.model": str(baggage.get_baggage(_MODEL, carried) or ""),
                    "livecaptions.gates": str(baggage.get_baggage(_GATES, carried) or "").split(),
                }
            )
            root.end(now)

    def close(self, within: float) -> None:
        """End open spans and send the queued ones, for at most ``within`` seconds. Blocks."""
        for utterance in list(self._open):
            self._give_up(utterance)
        flushing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        flushing.start()
        flushing.join(within)
        if flushing.is_alive():
            logger.warning("last_spans_dropped", within=within)

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
        root.set_status(Status(StatusCode.ERROR, "the trace was ended before its final arrived"))
        root.end(self._now())

    def _now(self) -> int:
        return _ns(self._clock.wall())


def otlp_tracer(endpoint: str, clock: Clock, *, service: str, sample: float | None) -> OpenTelemetryTracer:
    """Create a tracer that sends spans to the OTLP/HTTP collector at ``endpoint``, from a separate thread.

    Spans that the collector does not accept are dropped.
    """
    getLogger(OTLPSpanExporter.__module__).setLevel(ERROR)  # log each dropped batch, but not each attempt
    return OpenTelemetryTracer(
        BatchSpanProcessor(OTLPSpanExporter(traces_url(endpoint))), clock, service=service, sample=sample
    )


def traces_url(endpoint: str) -> str:
    """The URL for traces. If ``endpoint`` has no path, OTLP/HTTP's standard path ``/v1/traces`` is added."""
    return endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint.rstrip('/')}/v1/traces"


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _scope(context: Context) -> Scope | None:
    """The parent span in a record's context; None if it is missing or invalid."""
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
