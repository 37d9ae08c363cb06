"""The intake with a consumer that is not the live one, on a memory log in virtual time."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.records import AUDIO, DEAD_LETTERS, write_audio
from inference.intake import Intake
from inference.settings import WorkerSettings
from tests.inference.speaking import segments
from tests.support import LoopClock, RecordingProbe, memory_log, script_of

pytestmark = pytest.mark.looptime

_, PCM = script_of(3)
SEGMENTS = segments(PCM)


@asynccontextmanager
async def intake_on(
    log: Log, *, settings: WorkerSettings | None = None, probe: Probe | None = None, group: str = "other"
) -> AsyncIterator[Intake]:
    async with log.join(AUDIO, group) as member:
        intake = Intake(log, member, LoopClock(), probe or Probe(), settings or WorkerSettings())
        running = asyncio.create_task(run(intake))
        try:
            yield intake
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            intake.close()


async def run(intake: Intake) -> None:
    async with asyncio.TaskGroup() as tasks:
        intake.start(tasks)


async def take(intake: Intake, count: int) -> list[int]:
    """Finish so many complete utterances, as a consumer does; their numbers."""
    taken: list[int] = []
    while len(taken) < count:
        complete = next((held for held in intake.utterances if held.complete and not held.decoding), None)
        if complete is None:
            await intake.changed()
            continue
        taken.append(complete.id.utterance)
        intake.finish(complete, complete.version)
        await intake.commit([complete.partition])
    return taken


async def test_another_consumer_takes_utterances_and_its_next_member_goes_on_behind_them() -> None:
    log = memory_log()
    for segment in SEGMENTS:
        await log.append(AUDIO, write_audio(segment))
    async with intake_on(log) as intake:
        assert await take(intake, 2) == [0, 1]
    assert not intake.joined
    assert list(intake.utterances) == []
    async with intake_on(log) as intake:
        assert await take(intake, 1) == [2]
        await asyncio.sleep(2)
        assert list(intake.utterances) == []


async def test_two_groups_each_get_every_utterance() -> None:
    log = memory_log()
    async with intake_on(log, group="one") as one, intake_on(log, group="two") as two:
        for segment in SEGMENTS:
            await log.append(AUDIO, write_audio(segment))
        assert list(await asyncio.gather(take(one, 3), take(two, 3))) == [[0, 1, 2]] * 2


async def test_no_more_is_read_while_too_much_is_buffered() -> None:
    log, probe = memory_log(), RecordingProbe()
    seconds = sum(len(segment.pcm) for segment in SEGMENTS) / 16_000
    async with intake_on(log, settings=WorkerSettings(most_buffered=seconds / 3), probe=probe) as intake:
        for segment in SEGMENTS:
            await log.append(AUDIO, write_audio(segment))
            await asyncio.sleep(0.2)
        await asyncio.sleep(5)
        assert seconds / 3 < intake.utterances.buffered < 0.7 * seconds
        assert intake.joined
        assert await take(intake, 3) == [0, 1, 2]
    assert len(probe.calls["rebalanced"]) == 1


async def test_what_is_revoked_is_forgotten() -> None:
    log = memory_log(partitions=4)
    async with intake_on(log) as one:
        await asyncio.sleep(1)
        for track in range(8):
            for segment in segments(PCM, f"t{track}"):
                await log.append(AUDIO, write_audio(segment))
        await asyncio.sleep(2)
        before = len(list(one.utterances))
        async with intake_on(log) as two:
            await asyncio.sleep(3)
            assert len(one.utterances.partitions) == len(two.utterances.partitions) == 2
            assert {held.partition for held in one.utterances} <= set(one.utterances.partitions)
            assert len(list(one.utterances)) + len(list(two.utterances)) == before == 24


async def test_absurd_numbers_are_dead_letters_and_the_rest_goes_on() -> None:
    log = memory_log()
    first, second = SEGMENTS[:2]
    assert first.settings is not None
    absurd = [
        replace(first, start=10**25),
        replace(first, start=2**62),
        replace(first, settings=replace(first.settings, origin=1e300)),
        replace(first, settings=replace(first.settings, origin=-1.0)),
        replace(first, offset=2**63),
        replace(second, start=second.start + 301 * 16_000),
        replace(second, end=2**62),
    ]
    for segment in (*absurd[:5], first, *absurd[5:], *SEGMENTS[1:]):
        await log.append(AUDIO, write_audio(segment))
    async with intake_on(log) as intake:
        assert await take(intake, 3) == [0, 1, 2]
    dead = await log.bounds(DEAD_LETTERS, 0)
    assert dead.end == len(absurd)


async def test_a_segment_far_behind_one_that_was_given_up_is_a_dead_letter() -> None:
    log = memory_log()
    await log.append(AUDIO, write_audio(SEGMENTS[0]))
    async with intake_on(log) as intake:
        assert await take(intake, 1) == [0]
        late = SEGMENTS[1]
        await log.append(AUDIO, write_audio(replace(late, start=2**50)))
        await asyncio.sleep(2)
        assert (await log.bounds(DEAD_LETTERS, 0)).end == 1
        assert list(intake.utterances) == []
        await log.append(AUDIO, write_audio(late))
        await asyncio.sleep(2)
        (held,) = intake.utterances
        assert math.isclose(held.seconds, (len(SEGMENTS[0].pcm) + len(late.pcm)) / 16_000)
