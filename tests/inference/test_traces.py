"""An utterance's trace at workers that come and go, in virtual time: what the log carries decides."""

import asyncio
from dataclasses import replace

import pytest

from captions.audio import Pcm
from captions.caption import CaptionId
from captions.ports.tracer import Context, Tracer
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, trace_of, write_audio
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine
from tests.inference.speaking import segments
from tests.support import LoopClock, memory_log, script_of, worker_on
from tests.traces import Traces, attributes, by_trace, span_id, trace_id
from transport.memory import MemoryLog

pytestmark = pytest.mark.looptime

SCRIPT, PCM = script_of(2)


async def speak(log: MemoryLog, pcm: Pcm, tracer: Tracer) -> list[Context]:
    """Append the segments of ``pcm`` as a gateway that traces would, each when it was said; the contexts."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    trace: Context = {}
    opened: list[Context] = []
    for segment in segments(pcm):
        await asyncio.sleep(began + (segment.start + len(segment.pcm)) / 16_000 - loop.time())
        if segment.first:
            trace = tracer.utterance_opened(CaptionId(RoomId("hall").track("main"), segment.utterance), 0.0)
            opened.append(trace)
        await log.append(AUDIO, write_audio(replace(segment, trace=trace)))
    return opened


async def test_a_worker_that_takes_over_goes_on_with_the_trace() -> None:
    log = memory_log()
    gateway, first, second = Traces(LoopClock()), Traces(LoopClock()), Traces(LoopClock())
    speaking = asyncio.create_task(speak(log, PCM, gateway.tracer))
    async with worker_on(log, ScriptedEngine(SCRIPT), delay=0.05, tracer=first.tracer):
        await asyncio.sleep(2.2)
    async with worker_on(log, ScriptedEngine(SCRIPT), delay=0.05, tracer=second.tracer):
        opened = await speaking
        await asyncio.sleep(2)
    assert first.named("decode partial")
    assert not first.named("decode final")
    both = by_trace([*first.spans, *second.spans])
    assert [f"{trace_id(trace[0]):032x}" for trace in both] == [context["traceparent"][3:35] for context in opened]
    begun = {trace_id(span) for span in first.spans}
    assert begun == {trace_id(span) for span in both[0]}  # the second worker went on with what the first had begun
    for trace, context in zip(both, opened, strict=True):
        for span in trace:
            assert span.parent is not None
            if span.name.startswith("decode"):
                assert f"{span.parent.span_id:016x}" == context["traceparent"][36:52]
        assert [span.name for span in trace].count("decode final") == 1
    replayed = [span for span in second.named("decode partial") if trace_id(span) in begun]
    assert replayed
    assert attributes(replayed[0])["audio_seconds"] > 1.0  # type: ignore[operator] # a number


async def test_a_decode_takes_the_time_that_it_took() -> None:
    log, traces = memory_log(), Traces(LoopClock())
    async with worker_on(log, ScriptedEngine(SCRIPT), delay=0.25, tracer=traces.tracer):
        await speak(log, PCM, traces.tracer)
        await asyncio.sleep(2)
    decodes = [span for span in traces.spans if span.name.startswith("decode")]
    assert len(decodes) > 4
    for span in decodes:
        assert (span.end_time or 0) - (span.start_time or 0) == pytest.approx(0.25e9, abs=1e6)


async def test_captions_and_dead_letters_carry_the_trace() -> None:
    log, traces = memory_log(), Traces(LoopClock())
    engine = ScriptedEngine(SCRIPT, failures=lambda request: request.final)
    async with worker_on(log, engine, tracer=traces.tracer):
        first, _ = await speak(log, PCM, traces.tracer)
        await asyncio.sleep(2)
    caption, letter = [(await anext(log.read(topic, 0, 0))).record for topic in (CAPTIONS, DEAD_LETTERS)]
    (published, *_) = traces.named("publish final")
    assert trace_of(caption)["traceparent"] == f"00-{trace_id(published):032x}-{span_id(published):016x}-03"
    assert trace_of(caption)["traceparent"][:35] == first["traceparent"][:35]
    assert trace_of(letter) == first


async def test_segments_without_a_trace_are_decoded_without_one() -> None:
    log, traces = memory_log(), Traces(LoopClock())
    async with worker_on(log, ScriptedEngine(SCRIPT), tracer=traces.tracer):
        await speak(log, PCM, Tracer())
        await asyncio.sleep(2)
    assert (await log.bounds(CAPTIONS, 0)).end == 2
    assert traces.spans == []
