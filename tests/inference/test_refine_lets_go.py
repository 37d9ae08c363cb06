"""What the second pass lets go of: speech that does not fit, and utterances whose end never comes. It never stops."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from captions.audio import to_seconds
from captions.caption import Pass
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Assigned
from captions.records import AUDIO, CAPTIONS, AudioSegment, write_audio
from captions.track import RoomId
from inference.refine import REFINE_GROUP
from inference.settings import WorkerSettings
from tests.inference.refining import Mishearing, refined, refiner_on
from tests.inference.speaking import SESSION, segments, speak
from tests.support import RecordingProbe, memory_log, script_of, told, worker_on
from transport.memory import MemoryLog

pytestmark = pytest.mark.looptime

TRACKS = [f"t{n}" for n in range(10)]
NO_ROOM = WorkerSettings(most_buffered=60.0)
"""Windows that are still collecting have more than that, for ten tracks."""


async def committed(log: MemoryLog) -> int:
    """From where the next member of the group reads."""
    async with log.join(AUDIO, REFINE_GROUP) as member:
        while True:
            for event in await member.poll(1.0):
                if isinstance(event, Assigned):
                    return event.offset


async def append(log: MemoryLog, said: Sequence[AudioSegment], track: str = "main") -> None:
    for segment in said:
        await log.append(AUDIO, write_audio(replace(segment, track=RoomId("hall").track(track))))


async def test_it_goes_on_when_speech_does_not_fit_and_what_it_publishes_is_the_same() -> None:
    script, pcm = script_of(12)
    published, lengths, skipped = [], [], []
    for settings in (WorkerSettings(), NO_ROOM):
        log, probe, ears = memory_log(), RecordingProbe(), Mishearing(script)
        async with worker_on(log, Mishearing(script)), refiner_on(log, ears, probe=probe, settings=settings):
            await asyncio.gather(*(speak(log, pcm, track=track) for track in TRACKS))
            await asyncio.sleep(90)
            again = len(probe.calls["refined"])
            await append(log, segments(pcm)[:200], "later")
            await asyncio.sleep(90)
        assert len(probe.calls["refined"]) > again
        assert await committed(log) == (await log.bounds(AUDIO, 0)).end
        assert probe.last("refine_behind") == 0
        published.append({(c.track, c.utterance, c.revision, c.text) for c in await refined(log)})
        lengths.append(set(ears.windows))
        skipped.append(sum(probe.values("refine_skipped")))
        finals = [c for c in (await told(log, CAPTIONS)).finals if c.version.pass_ is Pass.LIVE]
        assert len(finals) > 120
    assert published[1] < published[0]
    assert lengths[1] <= lengths[0]
    assert skipped[0] == 0
    assert 0 < skipped[1] < len(TRACKS) * to_seconds(len(pcm))


async def test_speech_that_is_not_over_does_not_stop_it() -> None:
    """More is spoken at once than fits."""
    script, pcm = script_of(3)
    log, probe = memory_log(), RecordingProbe()
    engine = Mishearing(script)
    async with worker_on(log, engine), refiner_on(log, engine, probe=probe, settings=NO_ROOM):
        for number in range(12):
            for n in range(10):
                segment = AudioSegment(
                    track=RoomId("hall").track(f"t{n}"),
                    utterance=0,
                    number=number,
                    start=number * 16_000,
                    pcm=np.zeros(16_000, np.int16),
                    offset=0,
                    last=number == 11,
                    settings=SESSION if number == 0 else None,
                )
                await log.append(AUDIO, write_audio(segment))
            await asyncio.sleep(1)
        await speak(log, pcm)
        await asyncio.sleep(90)
    assert len(probe.calls["refined"]) >= 3
    assert sum(probe.values("refine_skipped")) >= 60
    assert await committed(log) == (await log.bounds(AUDIO, 0)).end


@pytest.mark.parametrize("returns", [False, True])
async def test_an_utterance_whose_end_does_not_come_holds_nothing_up(returns: bool) -> None:
    script, pcm = script_of(3)
    engine, log, probe = Mishearing(script), memory_log(), RecordingProbe()
    said = segments(pcm)
    last = [segment for segment in said if segment.utterance == 2]
    async with worker_on(log, engine), refiner_on(log, engine, probe=probe):
        await append(log, [*(segment for segment in said if segment.utterance < 2), *last[:2]])
        await asyncio.sleep(40)
        assert len(probe.calls["refined"]) == 2
        assert probe.last("refine_behind") == 0
        await asyncio.sleep(60)
        if returns:
            await append(log, last[2:])  # its gateway was only slow
            await asyncio.sleep(90)
    assert await committed(log) == (await log.bounds(AUDIO, 0)).end
    if returns:
        assert [len(c.text.split()) for c in (await told(log, CAPTIONS)).finals if c.utterance == 2][-1] == 8


async def test_more_of_such_an_utterance_does_not_hold_up_the_commit_of_a_track_that_speaks_on() -> None:
    script, pcm = script_of(20)
    engine, log = Mishearing(script), memory_log()
    said = segments(pcm)
    second = [segment for segment in said if segment.utterance == 1]
    async with worker_on(log, engine), refiner_on(log, engine):
        await append(log, [*(segment for segment in said if segment.utterance == 0), *second[:2]])
        await asyncio.sleep(20)
        await append(log, second[2:])
        spoken = (await log.bounds(AUDIO, 0)).end
        for segment in said:
            if segment.utterance > 1:
                await append(log, [segment])
                await asyncio.sleep(len(segment.pcm) / 16_000)
    assert await committed(log) > spoken


async def test_many_such_utterances_do_not_stop_it() -> None:
    script, pcm = script_of(6)
    engine, log, probe = Mishearing(script), memory_log(), RecordingProbe()
    said = segments(pcm)
    first = [segment for segment in said if segment.utterance == 0]
    async with worker_on(log, engine), refiner_on(log, engine, probe=probe, settings=NO_ROOM):
        for n in range(30):
            await append(log, first[:-1], f"dead{n}")
        await asyncio.sleep(30)
        await speak(log, pcm)
        await asyncio.sleep(30)
    assert len(probe.calls["refined"]) == 6


async def test_live_captions_of_many_tracks_never_wait_for_a_pass_that_hangs() -> None:
    class Hanging(Mishearing):
        def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
            raise AssertionError(requests)

    script, pcm = script_of(2, words=3)
    tracks = [f"t{n}" for n in range(200)]
    log = memory_log(retention_bytes=4_000_000)
    async with (
        worker_on(log, Mishearing(script), settings=WorkerSettings(max_batch=64, partial_interval=5.0)),
        refiner_on(log, Hanging(script), delay=1e9),
    ):
        for segment in segments(pcm):
            for track in tracks:
                await append(log, [segment], track)
            await asyncio.sleep(len(segment.pcm) / 16_000)
        await asyncio.sleep(10)
    bounds = await log.bounds(AUDIO, 0)
    assert bounds.earliest > 0  # the log let go of what the second pass did not commit
    finals = (await told(log, CAPTIONS)).finals
    assert {(c.track, c.utterance) for c in finals} == {(track, n) for track in tracks for n in range(2)}
