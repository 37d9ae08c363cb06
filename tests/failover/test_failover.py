"""What dies, comes back or stalls while people speak: viewers get what they would have got anyway."""

import asyncio
import signal

import pytest

from captions.audio import SAMPLE_RATE
from livecaptions_client import Done, Restarted
from tests.failover.rig import ROOM, assert_kept, kill, rig_on, speaking, watching
from tests.support import script_of

pytestmark = pytest.mark.kafka

TRACKS = 8
UTTERANCES = 3
_, PCM = script_of(UTTERANCES)
MID_UTTERANCE = 2.0
"""Seconds into the audio: everybody is in the middle of the first utterance."""


async def test_a_worker_killed_mid_utterance_with_eight_tracks(bootstrap: str) -> None:
    async with rig_on(bootstrap) as rig:
        (_, server), first, _ = await asyncio.gather(rig.gateway(), rig.worker(), rig.worker())
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            await asyncio.sleep(MID_UTTERANCE)
            at = kill(first)
            await asyncio.gather(*tasks)
    assert_kept(seen, TRACKS, UTTERANCES)
    assert len(seen.waits(at)) == TRACKS


async def test_all_workers_gone_for_ten_seconds(bootstrap: str) -> None:
    async with rig_on(bootstrap) as rig:
        (_, server), *workers = await asyncio.gather(rig.gateway(overload_after=60), rig.worker(), rig.worker())
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            await asyncio.sleep(MID_UTTERANCE)
            for worker in workers:
                kill(worker)
            await asyncio.sleep(10)
            await rig.worker()
            await asyncio.gather(*tasks)
    assert_kept(seen, TRACKS, UTTERANCES)


async def test_a_worker_that_comes_and_one_that_leaves(bootstrap: str) -> None:
    async with rig_on(bootstrap) as rig:
        (_, server), first = await asyncio.gather(rig.gateway(), rig.worker())
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            await asyncio.sleep(MID_UTTERANCE - 1)
            await rig.worker()
            await asyncio.sleep(3)
            first.send_signal(signal.SIGTERM)
            assert await first.wait() == 0
            await asyncio.gather(*tasks)
    assert_kept(seen, TRACKS, UTTERANCES)


async def test_a_gateway_killed_with_its_publishers_and_viewers_going_on_elsewhere(bootstrap: str) -> None:
    async with rig_on(bootstrap) as rig:
        (first, here), (_, there), _ = await asyncio.gather(rig.gateway(), rig.gateway(), rig.worker())
        async with (
            watching(f"{here},{there}") as moved,
            watching(there) as stayed,
            speaking([here, there], PCM, TRACKS) as tasks,
        ):
            await asyncio.sleep(MID_UTTERANCE)
            kill(first)
            told = await asyncio.gather(*tasks)
    assert_kept(moved, TRACKS, UTTERANCES)
    assert_kept(stayed, TRACKS, UTTERANCES)
    for events in told:
        assert not [event for event in events if isinstance(event, Restarted)]
        assert isinstance(events[-1], Done)
        assert events[-1].offset == len(PCM) * 2
        assert events[-1].seconds == pytest.approx(len(PCM) / 16_000, abs=0.01)


async def test_a_gateway_that_is_stopped_hands_its_sessions_on(bootstrap: str) -> None:
    async with rig_on(bootstrap) as rig:
        (first, here), (_, there), _ = await asyncio.gather(rig.gateway(), rig.gateway(), rig.worker())
        async with watching(there) as seen, speaking([here, there], PCM, TRACKS) as tasks:
            await asyncio.sleep(MID_UTTERANCE)
            first.send_signal(signal.SIGTERM)
            told = await asyncio.gather(*tasks)
            assert await first.wait() == 0
    assert all(isinstance(events[-1], Done) for events in told)
    assert_kept(seen, TRACKS, UTTERANCES)


async def test_poison_goes_to_the_dead_letters_and_the_rest_goes_on(bootstrap: str) -> None:
    script, pcm = script_of(UTTERANCES, seed=5)
    texts = [{word.text for word in script[at : at + 8]} for at in range(0, len(script), 8)]
    poison = min(texts[1] - texts[0] - texts[2])
    async with rig_on(bootstrap) as rig:
        (_, server), _ = await asyncio.gather(rig.gateway(), rig.worker(poison=poison, seed=5))
        async with watching(server) as seen, speaking([server], pcm, 1) as tasks:
            await asyncio.gather(*tasks)
        finals = [text for _, (text,) in sorted(seen.finals.items())]
        letters = await rig.dead_letters()
    assert [bool(text) for text in finals] == [True, False, True]
    (letter,) = letters
    assert letter.record.key == f"{ROOM}/t0"
    assert letter.record.headers["reason"] == b"scripted to fail"
    assert letter.record.headers["utterance"] == b"1"
    assert len(letter.record.value) > SAMPLE_RATE
