"""Workers slower than speech, over real Kafka: what is promised of overload holds there too."""

import asyncio

import pytest

from livecaptions_client import RefusedError
from tests.failover.rig import assert_kept, rig_on, speak, speaking, watching
from tests.support import script_of

pytestmark = pytest.mark.kafka

TRACKS = 4
UTTERANCES = 2
_, PCM = script_of(UTTERANCES)


async def test_newcomers_are_refused_and_what_is_spoken_is_captioned(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecaptions_client.retry.GIVE_UP_AFTER", 0.0)  # a refusal that would pass is told at once
    async with rig_on(bootstrap) as rig:
        (_, server), _ = await asyncio.gather(rig.gateway(overload_after=2), rig.worker(decoding=0.6))
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            await asyncio.sleep(7)
            with pytest.raises(RefusedError) as refused:
                await speak(server, "late", PCM)
            await asyncio.gather(*tasks)
    assert refused.value.code == "overloaded"
    assert (refused.value.retry_after or 0) >= 2
    assert_kept(seen, TRACKS, UTTERANCES)
    assert sum(not event.final for event in seen.captions) < TRACKS * UTTERANCES
