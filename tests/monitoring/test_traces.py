"""The tracer alone: what it makes of contexts that are nonsense, of other gateways, and of a collector that hangs."""

import sys
import threading
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode
from typer.testing import CliRunner

import monitoring.traces as module
from captions.caption import CaptionId
from captions.errors import SetupError
from captions.ports.tracer import Context, Tracer
from captions.track import RoomId
from livecaptions.cli import app
from livecaptions.clock import SystemClock
from monitoring.traces import OpenTelemetryTracer, traces_url
from tests.traces import Traces, attributes, shape, span_id, trace_id

UTTERANCE = CaptionId(RoomId("hall").track("main"), 7)
MODEL = "größtes Modell, v3;x=y"
GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def traces() -> Traces:
    return Traces(SystemClock())


def decoded(tracer: Tracer, context: Context, *, kind: str = "final", failed: bool = False) -> Context:
    return tracer.decoded(context, kind=kind, model=MODEL, batch=3, audio=1.5, took=0.25, redecoded=True, failed=failed)


def delivered(tracer: Tracer, context: Context, *, viewers: int = 1) -> None:
    tracer.delivered(UTTERANCE, context, kind="final", language="en", words=2, since=0.0, viewers=viewers)


def captioned(tracer: Tracer, context: Context, *, viewers: int = 1) -> None:
    with tracer.publishing(
        decoded(tracer, context), kind="final", model=MODEL, words=2, gates=("loop", "too_fast")
    ) as carried:
        delivered(tracer, carried, viewers=viewers)


def test_a_tracer_that_keeps_nothing_gives_nothing_on() -> None:
    nothing = Tracer()
    opened = nothing.utterance_opened(UTTERANCE, 0.2)
    with nothing.publishing(decoded(nothing, opened), kind="final", model=MODEL, words=2, gates=()) as carried:
        assert (opened, carried) == ({}, {})


def test_the_root_knows_the_model_and_the_gates_of_a_worker_elsewhere(traces: Traces) -> None:
    worker = Traces(SystemClock())
    opened = traces.tracer.utterance_opened(UTTERANCE, 0.2)
    with worker.tracer.publishing(
        decoded(worker.tracer, opened), kind="final", model=MODEL, words=2, gates=("loop", "too_fast")
    ) as carried:
        assert all(value.isascii() for value in carried.values())
    delivered(traces.tracer, carried)
    told = attributes(traces.named("utterance")[0])
    assert (told["model"], told["gates"]) == (MODEL, ("loop", "too_fast"))
    assert len({trace_id(span) for span in (*traces.spans, *worker.spans)}) == 1


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"traceparent": ""},
        {"traceparent": "garbage"},
        {"traceparent": "\N{REPLACEMENT CHARACTER}" * 40},
        {"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-01"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01"},
        {"traceparent": "ff" + GOOD[2:]},
        {"traceparent": GOOD + "-more"},
        {"traceparent": GOOD[:-3]},
        {"traceparent": "x" * 100_000},
        {"baggage": "model=x"},
    ],
)
def test_a_context_that_is_none_makes_no_span_and_no_harm(traces: Traces, context: Context) -> None:
    assert decoded(traces.tracer, context) == {}
    captioned(traces.tracer, context)
    traces.tracer.utterance_resumed(UTTERANCE, context, 0.0)
    captioned(traces.tracer, context)
    assert traces.spans == []


@pytest.mark.parametrize(
    "beside",
    [{"tracestate": ",,=,\x00"}, {"baggage": "=;,%%%,model"}, {"baggage": "x" * 10_000}, {"tracestate": "a=b," * 1000}],
)
def test_nonsense_beside_a_good_context_is_passed_over(traces: Traces, beside: Context) -> None:
    captioned(traces.tracer, {"traceparent": GOOD, **beside})
    assert {span.name for span in traces.spans} == {"decode final", "publish final", "deliver final"}
    assert {f"{trace_id(span):032x}" for span in traces.spans} == {GOOD[3:35]}


def test_a_root_that_goes_on_elsewhere_is_ended_there_and_only_there(traces: Traces) -> None:
    there = Traces(SystemClock())
    opened = traces.tracer.utterance_opened(UTTERANCE, 0.2)
    there.tracer.utterance_resumed(UTTERANCE, opened, 1_764_000_000.0)
    traces.tracer.track_left(RoomId("hall").track("main"))
    captioned(traces.tracer, opened, viewers=0)
    captioned(there.tracer, opened, viewers=0)
    assert traces.named("utterance") == []
    (root,) = there.named("utterance")
    assert opened["traceparent"] == f"00-{trace_id(root):032x}-{span_id(root):016x}-03"
    assert root.start_time == 1_764_000_000 * 10**9
    assert shape(there.spans) == {
        ("utterance", ""),
        ("decode final", "utterance"),
        ("publish final", "decode final"),
    }


def test_other_tracks_stay_when_one_is_left(traces: Traces) -> None:
    opened = traces.tracer.utterance_opened(UTTERANCE, 0.2)
    traces.tracer.track_left(RoomId("hall").track("other"))
    delivered(traces.tracer, opened)
    assert len(traces.named("utterance")) == 1


def test_what_failed_says_so(traces: Traces) -> None:
    opened = traces.tracer.utterance_opened(UTTERANCE, 0.2)
    context = decoded(traces.tracer, opened, failed=True)
    with (
        pytest.raises(ZeroDivisionError),
        traces.tracer.publishing(context, kind="final", model=MODEL, words=0, gates=()),
    ):
        1 / 0  # noqa: B018 - as a log that fails
    traces.tracer.close(1.0)
    assert [(span.name, span.status.status_code) for span in traces.spans] == [
        ("decode final", StatusCode.ERROR),
        ("publish final", StatusCode.ERROR),
        ("utterance", StatusCode.ERROR),  # its final never came
    ]


def test_utterances_whose_finals_never_come_are_not_kept_for_ever(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_OPEN", 3)
    for number in range(5):
        traces.tracer.utterance_opened(CaptionId(RoomId("hall").track("main"), number), 0.2)
    assert [attributes(span)["utterance"] for span in traces.named("utterance")] == [0, 1]


def test_the_environment_names_the_service_and_chooses_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(sample: float | None) -> list[ReadableSpan]:
        traces = Traces(SystemClock(), sample=sample, service="livecaptions-gateway")
        captioned(traces.tracer, traces.tracer.utterance_opened(UTTERANCE, 0.2))
        return traces.spans

    assert kept(None)[0].resource.attributes["service.name"] == "livecaptions-gateway"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=stage")
    told = kept(None)[0].resource.attributes
    assert (told["service.name"], told["deployment.environment.name"]) == ("ours", "stage")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert kept(None) == []
    assert len(kept(1.0)) == 4
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert kept(1.0) == []


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://collector/otlp/v1/traces", "https://collector/otlp/v1/traces"),
    ],
)
def test_the_endpoint_is_a_collector_or_a_path(endpoint: str, url: str) -> None:
    assert traces_url(endpoint) == url


class Hanging(SpanExporter):
    """A collector that takes a batch and never says so."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's own
        self.asked.set()
        self.released.wait()
        return SpanExportResult.FAILURE


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    exporter = Hanging()
    yield exporter
    exporter.released.set()


def test_a_collector_that_hangs_holds_up_neither_hooks_nor_the_end(hanging: Hanging) -> None:
    processor = BatchSpanProcessor(hanging, max_queue_size=64, max_export_batch_size=16)
    tracer = OpenTelemetryTracer(processor, SystemClock(), service="tests")
    for number in range(1000):
        opened = tracer.utterance_opened(CaptionId(RoomId("hall").track("main"), number), 0.2)
        captioned(tracer, opened)
    assert hanging.asked.wait(10)
    assert len(processor._batch_processor._queue) == 64  # the newest: the others were dropped
    tracer.close(0.05)
    assert not hanging.released.is_set()


def test_where_the_extra_is_missing_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "monitoring.traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    result = CliRunner().invoke(app, ["check-config", "--traces-endpoint", "http://localhost:4318"])
    assert isinstance(result.exception, SetupError)
    assert "pip install 'livecaptions[traces]'" in str(result.exception)
    assert CliRunner().invoke(app, ["check-config"]).exit_code == 0


@pytest.mark.parametrize(
    "arguments", [["--traces-endpoint", "collector:4318"], ["--traces-endpoint", "x"], ["--traces-sample", "1.1"]]
)
def test_a_setting_that_cannot_be_is_named(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["check-config", *arguments])
    assert isinstance(result.exception, SetupError)
    assert arguments[0][2:].replace("-", "_") in str(result.exception)
