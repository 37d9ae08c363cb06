"""The second pass on a memory log, in virtual time: same windows whoever dies, and live captions never wait."""

import asyncio
from collections.abc import Sequence

import pytest

from captions.audio import Pcm
from captions.caption import Pass, Version
from captions.deletion import write_audio_deletion
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.records import AUDIO, CAPTIONS, write_room_event
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine
from inference.second_pass import RefineSettings
from inference.spare_time import SpareTime as Spare
from tests.inference.refining import Mishearing, refined, refiner_on, standing
from tests.inference.speaking import speak
from tests.support import RecordingProbe, memory_log, script_of, told, worker_on

pytestmark = pytest.mark.looptime


async def undisturbed(pcm: Pcm, engine: Mishearing) -> list[tuple[int, int, str]]:
    log = memory_log()
    async with worker_on(log, engine), refiner_on(log, engine):
        await speak(log, pcm)
        await asyncio.sleep(30)
    return [(caption.utterance, caption.revision, caption.text) for caption in await refined(log)]


async def test_captions_whose_words_change_are_replaced_and_no_others() -> None:
    script, pcm = script_of(12)
    engine, log, probe = Mishearing(script), memory_log(), RecordingProbe()
    async with worker_on(log, engine), refiner_on(log, engine, probe=probe):
        await speak(log, pcm)
        await asyncio.sleep(30)
    lines = [" ".join(word.text for word in script[i : i + 8]) for i in range(0, 96, 8)]
    captions = await standing(log)
    assert [captions["main", n].text for n in range(12)] == lines
    changed = [n for n, line in enumerate(lines) if "spine" in line]
    assert 2 < len(changed) < 12
    assert [caption.utterance for caption in await refined(log)] == changed
    live = {c.utterance: c for c in (await told(log, CAPTIONS)).finals if c.version.pass_ is Pass.LIVE}
    for n in changed:
        one = captions["main", n]
        assert one.version == Version(Pass.REFINED, live[n].revision)
        assert one.model == "scripted@000000000000"
        assert (one.start, one.end) == pytest.approx((live[n].start, live[n].end), abs=0.01)
    reports = [arguments for _, arguments in probe.calls["refined"]]
    assert [words for _, words, _, _ in reports] == [8] * 12
    assert [spoken for _, _, spoken, _ in reports] == [line.split().count("spine") for line in lines]
    assert max(late for _, _, _, late in reports) < 45
    assert probe.last("refine_behind") == 0
    assert not probe.calls["refine_skipped"]


@pytest.mark.parametrize("killed_at", [22.0, 61.0, 80.0])
async def test_a_member_that_is_killed_changes_nothing(killed_at: float) -> None:
    script, pcm = script_of(20)
    engine = Mishearing(script)
    expected = await undisturbed(pcm, engine)
    assert len(expected) > 4
    log = memory_log()
    async with worker_on(log, engine):
        speaking = asyncio.create_task(speak(log, pcm))
        async with refiner_on(log, engine, delay=3.0):
            await asyncio.sleep(killed_at)
        async with refiner_on(log, engine):
            await speaking
            await asyncio.sleep(40)
    said = [(caption.utterance, caption.revision, caption.text) for caption in await refined(log)]
    assert sorted(set(said)) == expected
    assert len(said) == len(set(said))  # what was changed before is not said again


async def test_the_group_commits_what_is_done() -> None:
    script, pcm = script_of(3)
    engine, log = Mishearing(script), memory_log()
    async with worker_on(log, engine):
        async with refiner_on(log, engine):
            await speak(log, pcm)
            await asyncio.sleep(90)
        engine.windows.clear()
        async with refiner_on(log, engine):
            await asyncio.sleep(30)
    assert engine.windows == []


async def test_live_captions_never_wait_for_it() -> None:
    """One decoder for live captions, and a second pass that takes ten seconds a window."""
    script, pcm = script_of(12)
    engine, latencies = Mishearing(script), []
    for refines in (False, True):
        log, probe, spare = memory_log(), RecordingProbe(), Spare(1)
        async with worker_on(log, engine, delay=0.2, probe=probe, spare_time=spare):
            if refines:
                async with refiner_on(log, engine, delay=10.0, spare_time=spare.wait):
                    await speak(log, pcm)
                    await asyncio.sleep(60)
            else:
                await speak(log, pcm)
                await asyncio.sleep(60)
        latencies.append(probe.values("final_latency"))
    assert latencies[0] == pytest.approx(latencies[1], abs=0.001)
    assert len(await refined(log)) > 2


async def test_no_decode_begins_while_every_live_decoder_is_busy() -> None:
    spare, began = Spare(2), []

    async def wait() -> None:
        await spare.wait()
        began.append(asyncio.get_running_loop().time())

    with spare.taken():
        with spare.taken():
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(3)
            assert not began
        await waiting
    assert began == [pytest.approx(3)]


async def test_live_decodes_and_the_second_pass_count_the_same_decoders() -> None:
    script, pcm = script_of(2)
    spare, busy = Spare(1), []

    class Watching(ScriptedEngine):
        def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
            busy.append(spare.idle)
            return super().decode(requests)

    log = memory_log()
    async with worker_on(log, Watching(script), spare_time=spare):
        await speak(log, pcm)
        await asyncio.sleep(5)
    assert set(busy) == {0}
    assert spare.idle == 1


async def test_late_work_is_given_up_and_counted() -> None:
    script, pcm = script_of(8)
    engine, log, probe = Mishearing(script), memory_log(), RecordingProbe()
    async with worker_on(log, engine):
        await speak(log, pcm)
        await asyncio.sleep(100)
        async with refiner_on(log, engine, probe=probe):
            await asyncio.sleep(20)
    assert await refined(log) == []
    assert sum(probe.values("refine_skipped")) == pytest.approx(
        sum(u.end - u.start for u in (await told(log, CAPTIONS)).finals), rel=0.2
    )
    assert probe.last("refine_behind") == 0


async def test_changes_come_in_time() -> None:
    script, pcm = script_of(20)
    for within in (12.0, 20.0, 60.0):
        log, probe, engine = memory_log(), RecordingProbe(), Mishearing(script)
        async with worker_on(log, engine), refiner_on(log, engine, probe=probe, refine=RefineSettings(within=within)):
            await speak(log, pcm)
            await asyncio.sleep(30)
        assert len(probe.calls["refined"]) == 20
        assert max(late for _, (_, _, _, late) in probe.calls["refined"]) < within


async def test_captions_that_somebody_edited_are_left_alone() -> None:
    script, pcm = script_of(3)
    engine, log = Mishearing(script), memory_log()
    async with worker_on(log, engine):
        await speak(log, pcm)
        await asyncio.sleep(2)
        edited = (await told(log, CAPTIONS)).finals[0].model_copy(update={"pass_": "edited", "text": "as edited"})
        await log.append(CAPTIONS, write_room_event(RoomId("hall"), edited))
        async with refiner_on(log, engine):
            await asyncio.sleep(20)
    captions = await standing(log)
    assert captions["main", 0].text == "as edited"
    assert 0 not in {caption.utterance for caption in await refined(log)}


async def test_nothing_is_said_of_what_was_deleted() -> None:
    script, pcm = script_of(6)
    engine, log = Mishearing(script), memory_log()
    async with worker_on(log, engine), refiner_on(log, engine):
        await speak(log, pcm)
        bounds = await log.bounds(AUDIO, 0)
        await log.append(AUDIO, write_audio_deletion(RoomId("hall").track("main"), bounds.end))
        await asyncio.sleep(40)
    assert await refined(log) == []


async def test_it_waits_for_the_live_captions() -> None:
    script, pcm = script_of(4)
    engine, log = Mishearing(script), memory_log()
    async with refiner_on(log, engine):
        await speak(log, pcm)
        await asyncio.sleep(15)
        assert await refined(log) == []
        async with worker_on(log, engine):
            await asyncio.sleep(10)
    assert len(await refined(log)) > 0
