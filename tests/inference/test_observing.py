"""What a worker tells of itself and of its captions, on a memory log in virtual time."""

import asyncio
from itertools import pairwise

import pytest

from captions.errors import LogError
from captions.ports.log import Bounds
from captions.records import AUDIO, CAPTIONS, PARTIALS, write_audio
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine
from inference.settings import WorkerSettings
from tests.inference.speaking import segments, speak
from tests.support import RecordingProbe, memory_log, script_of, told, worker_on

pytestmark = pytest.mark.looptime


async def test_what_viewers_wait_for_is_what_the_log_tells() -> None:
    script, pcm = script_of(3)
    log, probe = memory_log(), RecordingProbe()
    async with worker_on(log, ScriptedEngine(script), delay=0.1, probe=probe):
        await speak(log, pcm)
        await asyncio.sleep(2)
    finals, partials = (await told(log, CAPTIONS)).finals, (await told(log, PARTIALS)).partials
    assert len(probe.calls["partial"]) == len(partials)
    assert sum(probe.values("final")) == len(script)
    assert len(probe.calls["final"]) == len(probe.calls["final_latency"]) == len(finals) == 3
    assert len(probe.calls["first_partial"]) == 3
    intervals = [b - a for (a, _), (b, _) in pairwise(probe.calls["partial"])]
    assert probe.values("partial_interval") == pytest.approx([i for i in intervals if i < 1.2])
    assert len(probe.calls["word_confidence"]) == len(script)
    shown = probe.values("word_shown")
    assert len(shown) == len(script)
    # 0.3 s between decodes of 0.1 s, after up to 0.2 s of segmenting: nothing is later but an utterance's first words
    assert min(shown) >= 0.0
    assert max(shown) < 0.9 + 0.2 + 0.1
    assert max(probe.values("final_latency")) < 0.3


async def test_first_words_that_come_with_the_final_count_too() -> None:
    script, pcm = script_of(1, words=2)
    log, probe = memory_log(), RecordingProbe()
    async with worker_on(log, ScriptedEngine(script), settings=WorkerSettings(first_partial=60.0), probe=probe):
        await speak(log, pcm)
        await asyncio.sleep(2)
    assert probe.calls["partial"] == []
    ((_, (first,)),) = probe.calls["first_partial"]
    assert 0.5 < first < 2.0
    assert max(probe.values("word_shown")) < first


async def test_a_muted_stream_is_not_late() -> None:
    script, pcm = script_of(2)
    waits = {}
    for muted in (0.0, 60.0):
        log, probe = memory_log(), RecordingProbe()
        async with worker_on(log, ScriptedEngine(script), delay=0.1, probe=probe):
            await asyncio.sleep(muted)  # the stream's clock stands still meanwhile
            await speak(log, pcm)
            await asyncio.sleep(2)
        waits[muted] = (probe.values("first_partial"), probe.values("word_shown"))
    assert waits[0.0][0] == pytest.approx(waits[60.0][0], abs=1e-6)
    assert waits[0.0][1] == pytest.approx(waits[60.0][1], abs=1e-6)


async def test_audio_is_behind_while_decodes_are_slow_and_not_when_they_are_done() -> None:
    script, pcm = script_of(2)
    log, probe = memory_log(partitions=2), RecordingProbe()
    spoken = log.partition_of(AUDIO, RoomId("hall").track("main").key)
    async with worker_on(log, ScriptedEngine(script), delay=5.0, probe=probe):
        await speak(log, pcm)
        await asyncio.sleep(20)
        behind = probe.values("audio_behind")
        assert 4.0 < max(sample[spoken] for sample in behind if sample) < 12.0
        assert behind[-1] == {spoken: 0.0, 1 - spoken: 0.0}
        assert all(sample[1 - spoken] == 0.0 for sample in behind if sample)
        assert probe.last("queue_depth") == 0
        assert max(probe.values("queue_depth")) >= 1


async def test_a_publisher_that_stalls_leaves_no_audio_behind() -> None:
    script, pcm = script_of(1)
    log, probe = memory_log(), RecordingProbe()
    async with worker_on(log, ScriptedEngine(script), settings=WorkerSettings(orphan_timeout=30.0), probe=probe):
        await speak(log, pcm, until=2.0)
        await asyncio.sleep(20)
        assert max(sample[0] for sample in probe.values("audio_behind", since=4.0)) == 0.0


async def test_tracks_that_speak_are_streams() -> None:
    script, pcm = script_of(1)
    log, probe = memory_log(), RecordingProbe()
    async with worker_on(log, ScriptedEngine(script), probe=probe):
        await asyncio.gather(*(speak(log, pcm, track=f"t{n}") for n in range(3)))
        await asyncio.sleep(2)
        assert probe.last("streams") == 3
        await asyncio.sleep(10)
        assert probe.last("streams") == 0


async def test_partitions_come_and_go_with_their_series() -> None:
    script, _ = script_of(1)
    log = memory_log(partitions=4)
    first, second = RecordingProbe(), RecordingProbe()
    async with worker_on(log, ScriptedEngine(script), probe=first):
        await asyncio.sleep(1)
        assert sorted(first.values("partition_assigned")) == [0, 1, 2, 3]
        assert len(first.calls["rebalanced"]) == 1
        async with worker_on(log, ScriptedEngine(script), probe=second):
            await asyncio.sleep(5)
            taken = second.values("partition_assigned")
            assert sorted(first.values("partition_revoked")) == sorted(taken)
            assert len(taken) == 2
            assert len(first.calls["rebalanced"]) == 2
            assert set(first.last("audio_behind")) == {0, 1, 2, 3} - set(taken)
    assert sorted(second.values("partition_revoked")) == sorted(taken)
    assert second.last("audio_behind") == {}


async def test_the_lag_is_what_is_not_committed() -> None:
    script, pcm = script_of(1)
    log, probe = memory_log(), RecordingProbe()
    kept = [segment for segment in segments(pcm) if not segment.last]
    async with worker_on(log, ScriptedEngine(script), probe=probe):
        for segment in kept:
            await log.append(AUDIO, write_audio(segment))
        await asyncio.sleep(11)
        assert [arguments for _, arguments in probe.calls["consumer_lag"]][-1] == (0, len(kept))
        await asyncio.sleep(20)  # the orphan is finalised and committed
        assert [arguments for _, arguments in probe.calls["consumer_lag"]][-1] == (0, 0)


async def test_a_log_that_does_not_tell_its_end_stops_no_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    script, pcm = script_of(1)
    log, probe = memory_log(), RecordingProbe()

    async def fails(topic: str, partition: int) -> Bounds:
        raise LogError(f"no broker knows partition {partition} of {topic}")

    async with worker_on(log, ScriptedEngine(script), probe=probe):
        await speak(log, pcm, track="before")
        with monkeypatch.context() as patch:
            patch.setattr(log, "bounds", fails)
            failing = asyncio.get_running_loop().time()
            await speak(log, pcm, track="meanwhile")
            await asyncio.sleep(6)
            assert [at for at, _ in probe.calls["consumer_lag"] if at > failing] == []
        await asyncio.sleep(6)
        assert [at for at, _ in probe.calls["consumer_lag"] if at > failing] != []
    assert [final.track for final in (await told(log, CAPTIONS)).finals] == ["before", "meanwhile"]
