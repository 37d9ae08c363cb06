"""The worker on a memory log, in virtual time: what is on the log decides, whoever dies."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from captions.audio import Pcm
from captions.errors import LogError
from captions.messages import CaptionMessage
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Bounds, Record
from captions.ports.probe import Probe
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, PARTIALS, write_audio
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine
from inference.settings import WorkerSettings
from tests.inference.speaking import segments, speak
from tests.support import LoopClock, memory_log, script_of, told, worker_on
from transport.memory import MemoryLog, TopicSettings

pytestmark = pytest.mark.looptime


def assert_sound(finals: Sequence[CaptionMessage], partials: Sequence[CaptionMessage]) -> None:
    """Every utterance has one final text, and its partials only grow towards it."""
    texts: dict[tuple[str, int], set[str]] = {}
    for final in finals:
        texts.setdefault((final.track, final.utterance), set()).add(final.text)
    assert all(len(text) == 1 for text in texts.values())
    seen: dict[tuple[str, int], CaptionMessage] = {}
    for partial in partials:
        key = (partial.track, partial.utterance)
        before = seen.get(key)
        if before is None or partial.version > before.version:
            if before is not None:
                assert partial.text.split()[: before.stable] == before.text.split()[: before.stable]
                assert partial.stable >= before.stable
            seen[key] = partial


async def undisturbed(pcm: Pcm, engine: ScriptedEngine) -> list[tuple[int, str, float, float]]:
    log = memory_log()
    async with worker_on(log, engine):
        await speak(log, pcm)
        await asyncio.sleep(2)
    return [(f.utterance, f.text, f.start, f.end) for f in (await told(log, CAPTIONS)).finals]


async def test_every_utterance_gets_partials_and_one_final() -> None:
    script, pcm = script_of(3)
    log = memory_log()
    async with worker_on(log, ScriptedEngine(script)):
        await speak(log, pcm)
        await asyncio.sleep(2)
    finals, partials = (await told(log, CAPTIONS)).finals, (await told(log, PARTIALS)).partials
    assert [final.utterance for final in finals] == [0, 1, 2]
    assert " ".join(final.text for final in finals) == " ".join(word.text for word in script)
    assert finals[0].words is not None
    assert [word.start for word in finals[0].words] == pytest.approx([word.start for word in script[:8]], abs=0.001)
    assert finals[0].speaker == "Ada"
    for utterance in range(3):
        of = [partial for partial in partials if partial.utterance == utterance]
        assert len(of) >= 3
        assert [p.revision for p in of] == sorted({p.revision for p in of})
        for before, after in pairwise(of):
            assert after.text.split()[: before.stable] == before.text.split()[: before.stable]
        assert of[-1].revision < finals[utterance].revision


@pytest.mark.parametrize("killed_at", [1.0, 2.2, 3.0, 4.6])
async def test_a_worker_killed_mid_utterance_loses_and_doubles_nothing(killed_at: float) -> None:
    script, pcm = script_of(2)
    engine = ScriptedEngine(script)
    expected = await undisturbed(pcm, engine)
    log = memory_log()
    speaking = asyncio.create_task(speak(log, pcm))
    async with worker_on(log, engine, delay=0.05):
        await asyncio.sleep(killed_at)
    before = (await told(log, PARTIALS)).partials
    async with worker_on(log, engine, delay=0.05):
        await speaking
        await asyncio.sleep(2)
    finals, partials = (await told(log, CAPTIONS)).finals, (await told(log, PARTIALS)).partials
    assert [(f.utterance, f.text, f.start, f.end) for f in finals] == expected
    if before:
        later = [p for p in partials[len(before) :] if p.utterance == before[-1].utterance]
        assert all(p.revision > before[-1].revision for p in later[-1:])
    assert_sound(finals, partials)


async def test_two_workers_share_and_one_takes_over() -> None:
    script, pcm = script_of(2)
    engine = ScriptedEngine(script)
    expected = sorted(await undisturbed(pcm, engine))
    log = memory_log(partitions=4)
    tracks = [f"t{n}" for n in range(8)]
    assert len({log.partition_of(AUDIO, RoomId("hall").track(track).key) for track in tracks}) > 1
    speaking = [asyncio.create_task(speak(log, pcm, track=track)) for track in tracks]
    async with worker_on(log, engine):
        async with worker_on(log, engine):
            await asyncio.sleep(2.0)
        await asyncio.gather(*speaking)
        await asyncio.sleep(3)
    finals = (await told(log, CAPTIONS)).finals
    for track in tracks:
        of = {(f.utterance, f.text, f.start, f.end) for f in finals if f.track == track}
        assert sorted(of) == expected
    assert_sound(finals, [])


async def test_when_decoding_is_slower_than_speech_partials_thin_out_and_finals_all_come() -> None:
    script, pcm = script_of(3)
    counts = []
    for delay in (0.01, 0.5, 3.0):
        log = memory_log()
        async with worker_on(log, ScriptedEngine(script), delay=delay):
            await speak(log, pcm)
            await asyncio.sleep(30)
        counts.append(len((await told(log, PARTIALS)).partials))
        finals = (await told(log, CAPTIONS)).finals
        assert " ".join(final.text for final in finals) == " ".join(word.text for word in script)
    assert counts[0] > counts[1] > counts[2]


async def test_two_decoders_keep_up_where_one_does_not_and_finals_come_in_order() -> None:
    script, pcm = script_of(3)
    counts = []
    for decoders in (1, 2):
        log = memory_log()
        settings = WorkerSettings(decoders=decoders, max_batch=1)
        async with worker_on(log, ScriptedEngine(script), delay=0.4, settings=settings):
            await asyncio.gather(*(speak(log, pcm, track=track) for track in ("a", "b", "c")))
            await asyncio.sleep(30)
        finals = (await told(log, CAPTIONS)).finals
        for track in ("a", "b", "c"):
            of = [final for final in finals if final.track == track]
            assert [final.utterance for final in of] == [0, 1, 2]
            assert " ".join(final.text for final in of) == " ".join(word.text for word in script)
        counts.append(len((await told(log, PARTIALS)).partials))
    assert counts[1] > 1.5 * counts[0]


async def test_an_utterance_whose_audio_stopped_coming_is_finalised() -> None:
    script, pcm = script_of(1)
    log = memory_log()
    async with worker_on(log, ScriptedEngine(script), settings=WorkerSettings(orphan_timeout=5.0)):
        await speak(log, pcm, until=2.0)
        await asyncio.sleep(4)
        assert (await told(log, CAPTIONS)).finals == []
        await asyncio.sleep(4)
    (final,) = (await told(log, CAPTIONS)).finals
    last = (await told(log, PARTIALS)).partials[-1]
    assert final.text.startswith(script[0].text)
    assert final.version > last.version


async def test_audio_that_comes_after_all_makes_the_final_whole() -> None:
    script, pcm = script_of(1)
    log = memory_log()
    async with worker_on(log, ScriptedEngine(script), settings=WorkerSettings(orphan_timeout=5.0)):
        await speak(log, pcm, until=2.0)
        await asyncio.sleep(8)
        assert len((await told(log, CAPTIONS)).finals) == 1
        partials = len((await told(log, PARTIALS)).partials)
        await speak(log, pcm, since=2.0)
        await asyncio.sleep(2)
    first, whole = (await told(log, CAPTIONS)).finals
    assert whole.text == " ".join(word.text for word in script)
    assert whole.version > first.version
    assert len((await told(log, PARTIALS)).partials) == partials, "a partial came after a final"


class Unreachable(MemoryLog):
    """A log that answers nobody for a while; members notice nothing, as aiokafka's do not."""

    away = False

    async def bounds(self, topic: str, partition: int) -> Bounds:
        if self.away:
            raise LogError("nobody answers")
        return await super().bounds(topic, partition)


@pytest.mark.parametrize("outage", [12.0, 15.1, 40.0])
async def test_no_utterance_is_given_up_while_the_log_is_away(outage: float) -> None:
    script, pcm = script_of(2)
    log = Unreachable(dict.fromkeys((AUDIO, CAPTIONS, PARTIALS, DEAD_LETTERS), TopicSettings()), LoopClock())
    async with worker_on(log, ScriptedEngine(script)):
        await speak(log, pcm, until=2.0)
        log.away = True
        await asyncio.sleep(outage)
        log.away = False
        await asyncio.sleep(1)  # the gateways' records go onto the log again
        await speak(log, pcm, since=2.0)
        await asyncio.sleep(2)
    finals = (await told(log, CAPTIONS)).finals
    assert len(finals) == 2
    assert " ".join(final.text for final in finals) == " ".join(word.text for word in script)


class Counting(Probe):
    def __init__(self) -> None:
        self.failures = 0

    def decode_failed(self, model: str) -> None:  # noqa: ARG002 - as the port has it
        self.failures += 1


async def test_a_decode_that_fails_for_good_costs_its_utterance_alone() -> None:
    script, pcm = script_of(3)
    poison = max(segment.pcm.max(initial=0) for segment in segments(pcm) if segment.utterance == 1)
    engine = ScriptedEngine(script, failures=lambda request: bool((request.pcm == poison).any()))
    log, probe = memory_log(), Counting()
    async with worker_on(log, engine, probe=probe):
        await speak(log, pcm)
        await asyncio.sleep(3)
    finals = (await told(log, CAPTIONS)).finals
    assert [bool(final.text) for final in finals] == [True, False, True]
    assert probe.failures >= WorkerSettings().attempts


async def test_a_decode_that_fails_once_is_tried_again() -> None:
    script, pcm = script_of(1)
    calls: list[DecodeRequest] = []

    def fails(request: DecodeRequest) -> bool:
        calls.append(request)
        return request.final and sum(c.final for c in calls) == 1

    log = memory_log()
    async with worker_on(log, ScriptedEngine(script, failures=fails)):
        await speak(log, pcm)
        await asyncio.sleep(2)
    (final,) = (await told(log, CAPTIONS)).finals
    assert final.text == " ".join(word.text for word in script)


async def test_what_is_no_audio_on_the_log_is_passed_over() -> None:
    script, pcm = script_of(1)
    log = memory_log()
    async with worker_on(log, ScriptedEngine(script)):
        await log.append(AUDIO, Record("hall/main", b"odd", {"utterance": b"?"}))
        await log.append(AUDIO, Record("no track", b""))
        await log.append(AUDIO, write_audio(segments(pcm)[3]))  # its utterance's first segment is missing
        await speak(log, pcm, track="other")
        await asyncio.sleep(2)
    (final,) = (await told(log, CAPTIONS)).finals
    assert final.track == "other"


async def test_repeated_segments_change_nothing() -> None:
    script, pcm = script_of(1)
    expected = await undisturbed(pcm, ScriptedEngine(script))
    log = memory_log()
    async with worker_on(log, ScriptedEngine(script)):
        for segment in segments(pcm):
            await log.append(AUDIO, write_audio(segment))
            if not segment.last:
                await log.append(AUDIO, write_audio(segment))
        await asyncio.sleep(2)
    finals = (await told(log, CAPTIONS)).finals
    assert [(f.utterance, f.text, f.start, f.end) for f in finals] == expected


async def test_a_track_that_goes_on_finalises_what_it_left_open() -> None:
    script, pcm = script_of(2)
    log = memory_log()
    kept = [s for s in segments(pcm) if not (s.utterance == 0 and s.last)]
    async with worker_on(log, ScriptedEngine(script)):
        for segment in kept:
            await log.append(AUDIO, write_audio(segment))
        await asyncio.sleep(2)
    assert [final.utterance for final in (await told(log, CAPTIONS)).finals] == [0, 1]


async def test_finals_do_not_depend_on_what_else_is_decoded() -> None:
    script, pcm = script_of(2)
    alone = await undisturbed(pcm, ScriptedEngine(script))
    batches: list[int] = []

    class Watching(ScriptedEngine):
        def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
            batches.append(len(requests))
            return super().decode(requests)

    log = memory_log()
    async with worker_on(log, Watching(script), delay=0.2):
        await asyncio.gather(*(speak(log, pcm, track=f"t{n}") for n in range(6)))
        await asyncio.sleep(5)
    assert max(batches) > 1
    finals = (await told(log, CAPTIONS)).finals
    for n in range(6):
        assert [(f.utterance, f.text, f.start, f.end) for f in finals if f.track == f"t{n}"] == alone
