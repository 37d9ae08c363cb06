"""Traces over Kafka: gateways and workers in processes of their own, each sending what it saw to one collector."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.failover.rig import Breath, kill, rig_on, speaking, stop, watching
from tests.support import script_of

pytestmark = pytest.mark.kafka

UTTERANCES = 3
MID_UTTERANCE = 2.0
"""Seconds into the audio: everybody is in the middle of the first utterance."""
_, PCM = script_of(UTTERANCES)
TRACKS = 2
FINAL = {
    ("utterance", "gateway", ""),
    ("decode final", "worker", "utterance"),
    ("publish final", "worker", "decode final"),
    ("deliver final", "gateway", "publish final"),
}
PARTIAL = {
    ("decode partial", "worker", "utterance"),
    ("publish partial", "worker", "decode partial"),
    ("deliver partial", "gateway", "publish partial"),
}
LOST = {("publish partial", "worker", "lost"), ("deliver partial", "gateway", "lost")}
"""Where a worker was killed before it had sent the span above."""


class Collector:
    """An OTLP/HTTP collector that keeps what it gets: by trace, (service and pid, span)."""

    def __init__(self) -> None:
        self.traces: dict[bytes, list[tuple[str, str, Span]]] = defaultdict(list)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        def take(request: ExportTraceServiceRequest) -> None:
            for resource in request.resource_spans:
                told = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self.traces[span.trace_id].append((told["service.name"], told["service.instance.id"], span))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
                body = self.rfile.read(int(self.headers["Content-Length"]))
                take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
                pass

        return Handler

    def shape(self, trace: bytes) -> set[tuple[str, str, str]]:
        """(span, service, parent) of a trace."""
        names = {span.span_id: span.name for _, _, span in self.traces[trace]}
        assert len(names) == len(self.traces[trace]), "two spans with one id"
        return {
            (span.name, service, names.get(span.parent_span_id, "lost") if span.parent_span_id else "")
            for service, _, span in self.traces[trace]
        }

    def traces_with(self, name: str) -> int:
        """How many traces have such a span."""
        return sum(any(span.name == name for _, _, span in spans) for spans in list(self.traces.values()))

    async def has(self, name: str, *, traces: int) -> None:
        """Wait until so many traces have such a span."""
        async with asyncio.timeout(60):
            while self.traces_with(name) < traces:  # noqa: ASYNC110 - filled by another thread
                await asyncio.sleep(0.05)

    def instances(self, trace: bytes, service: str) -> set[str]:
        """The processes of a service that saw something of a trace."""
        return {instance for name, instance, _ in self.traces[trace] if name == service}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")  # who is killed has sent what came before
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


async def test_one_trace_for_each_utterance_across_processes_and_a_takeover(
    bootstrap: str, collector: Collector
) -> None:
    async with rig_on(bootstrap) as rig:
        url = collector.url
        (gateway, server), first = await asyncio.gather(rig.gateway(traces=url), rig.worker(traces=url))
        breath = Breath(MID_UTTERANCE)
        async with watching(server), speaking([server], PCM, TRACKS, breath=breath) as tasks:
            await collector.has("decode partial", traces=TRACKS)
            kill(first)
            second = await rig.worker(traces=url)
            breath.over.set()
            await asyncio.gather(*tasks)
        await stop(gateway, second)
    assert len(collector.traces) == TRACKS * UTTERANCES
    for trace in collector.traces:
        shape = collector.shape(trace)
        assert shape >= FINAL
        assert shape <= FINAL | PARTIAL | LOST
    assert sum(len(collector.instances(trace, "worker")) == 2 for trace in collector.traces) == TRACKS


async def test_the_root_of_a_gateway_that_was_killed_is_ended_by_the_one_that_goes_on(
    bootstrap: str, collector: Collector
) -> None:
    async with rig_on(bootstrap) as rig:
        url = collector.url
        (first, here), (other, there), worker = await asyncio.gather(
            rig.gateway(traces=url), rig.gateway(traces=url), rig.worker(traces=url)
        )
        breath = Breath(MID_UTTERANCE)
        async with watching(there), speaking([f"{here},{there}"], PCM, 1, breath=breath) as tasks:
            await collector.has("deliver partial", traces=1)
            kill(first)
            breath.over.set()
            await asyncio.gather(*tasks)
        await stop(worker, other)
    assert len(collector.traces) == UTTERANCES
    for trace in collector.traces:
        assert FINAL <= collector.shape(trace) <= FINAL | PARTIAL | LOST
    assert len({instance for trace in collector.traces for instance in collector.instances(trace, "gateway")}) == 2


async def test_a_collector_that_is_not_there_costs_no_caption(bootstrap: str) -> None:
    async with rig_on(bootstrap) as rig:
        url = "http://127.0.0.1:9"
        (gateway, server), worker = await asyncio.gather(rig.gateway(traces=url), rig.worker(traces=url))
        async with watching(server) as seen, speaking([server], PCM, 1) as tasks:
            await asyncio.gather(*tasks)
        await stop(gateway, worker)
    assert len(seen.finals) == UTTERANCES
