"""The trace of an utterance, from its onset to its final at the viewers, through a whole system in this process."""

import asyncio
import json

import pytest

from captions.audio import to_bytes
from inference.engine.scripted import ScriptedWord, scripted_audio
from livecaptions.clock import SystemClock
from tests.streamer.system import Conversation, running
from tests.traces import Traces, attributes, by_trace, shape

pytestmark = pytest.mark.server

WORDS = ["quixotic", "zeppelin", "marmalade", "obelisk", "thunder", "walrus", "icicle", "juniper"]
WHOLE = {
    ("utterance", ""),
    ("decode partial", "utterance"),
    ("publish partial", "decode partial"),
    ("deliver partial", "publish partial"),
    ("decode final", "utterance"),
    ("publish final", "decode final"),
    ("deliver final", "publish final"),
}


def spoken() -> tuple[list[ScriptedWord], bytes]:
    """Two utterances of four words that occur nowhere else."""
    times = [0.5, 0.9, 1.3, 1.7, 3.2, 3.6, 4.0, 4.4]
    script = [ScriptedWord(word, at, at + 0.35) for word, at in zip(WORDS, times, strict=True)]
    return script, to_bytes(scripted_audio(script, 5.8))


async def captioned(traces: Traces) -> None:
    """Publish both utterances, and wait for the last caption at a viewer."""
    script, audio = spoken()
    async with (
        running(script, tracer=traces.tracer) as system,
        system.viewer() as viewing,
        system.publisher(track="stage", speaker="Evangelina", language="en", vocabulary="sesquipedalian") as socket,
    ):
        viewer, publisher = Conversation(viewing), Conversation(socket)
        await viewer.of("live")
        await publisher.of("ready")
        for at in range(0, len(audio), 6400):
            await socket.send(audio[at : at + 6400])
            await asyncio.sleep(0.05)
        await socket.send(json.dumps({"type": "end"}))
        await publisher.of("done")
        for _ in range(2):
            await viewer.next(lambda message: message["type"] == "caption" and message["final"])


async def test_one_trace_for_each_utterance() -> None:
    traces = Traces(SystemClock())
    await captioned(traces)
    both = by_trace(traces.spans)
    assert len(both) == 2
    for number, trace in enumerate(both):
        assert shape(trace) == WHOLE
        (root,) = (span for span in trace if span.parent is None)
        told = attributes(root)
        seconds = told.pop("seconds")
        assert isinstance(seconds, float)
        assert 1.7 < seconds < 2.5
        assert told == {
            "room": "hall",
            "track": "stage",
            "utterance": number,
            "end_reason": "endpoint",
            "language": "en",
            "words": 4,
            "model": "scripted",
            "gates": (),
        }
        assert [event.name for event in root.events] == ["ended"]
        for span in trace:
            assert (span.end_time or 0) >= (span.start_time or 0) >= (root.start_time or 0)
        assert max(span.end_time or 0 for span in trace) == root.end_time
        final = next(attributes(span) for span in trace if span.name == "decode final")
        assert final.pop("audio_seconds") == pytest.approx(seconds)
        assert final == {"model": "scripted", "batch": 1, "redecoded": False}
        (delivered,) = (attributes(span) for span in trace if span.name == "deliver final")
        assert delivered == {"viewers": 2}  # the viewer, and the publisher itself


async def test_nothing_that_was_said_is_in_a_trace() -> None:
    traces = Traces(SystemClock())
    await captioned(traces)
    assert traces.spans
    told = " ".join(span.to_json() for span in traces.spans).lower()
    assert "stage" in told
    for private in (*WORDS, "evangelina", "sesquipedalian"):
        assert private not in told


async def test_an_utterance_that_is_not_sampled_leaves_no_span() -> None:
    traces = Traces(SystemClock(), sample=0.0)
    await captioned(traces)
    assert traces.spans == []
