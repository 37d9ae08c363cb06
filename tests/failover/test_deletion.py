"""A room is deleted over Kafka: at both gateways, at one that starts later, and while a worker decodes."""

import asyncio
import time

import httpx
import pytest

from livecaptions_client import Caption, Deleted, Gap, Live, view
from tests.failover.rig import ROOM, Breath, expected_texts, rig_on, speaking, watching
from tests.support import script_of

pytestmark = pytest.mark.kafka

UTTERANCES = 4


async def transcript(server: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(f"{server}/v1/rooms/{ROOM}/transcript", params={"format": "txt"})


async def texts_of(server: str, after: int | None = None) -> tuple[list[str], list[Gap | Deleted]]:
    """What a new viewer is shown up to live: the texts, and the gaps and deletions."""
    texts: list[str] = []
    others: list[Gap | Deleted] = []
    async for event in view(server, ROOM, after=after):
        match event:
            case Caption():
                texts.append(event.text)
            case Gap() | Deleted():
                others.append(event)
            case Live():
                return texts, others
    raise AssertionError("the view ended")


async def test_what_was_said_is_gone_at_every_gateway_and_the_talk_goes_on(bootstrap: str) -> None:
    _, pcm = script_of(UTTERANCES)
    said = expected_texts(UTTERANCES)
    async with rig_on(bootstrap) as rig:
        (_, here), (_, there) = await asyncio.gather(rig.gateway(), rig.gateway())
        await rig.worker(utterances=UTTERANCES)
        breath = Breath(len(pcm) / 16_000 * 0.45)  # in the middle of the second utterance, or of the third
        async with (
            watching(here) as seen,
            watching(there) as elsewhere,
            speaking([here], pcm, 1, breath=breath) as talks,
        ):
            async with asyncio.timeout(60):
                while not (seen.finals and elsewhere.finals):  # noqa: ASYNC110 - told by no event
                    await asyncio.sleep(0.05)
            last = max(caption.seq or 0 for caption in seen.captions)
            async with httpx.AsyncClient(timeout=30) as http:
                response = await http.delete(f"{there}/v1/rooms/{ROOM}")
            assert response.status_code == 202
            answer = response.json()
            assert answer["hidden"] is True
            assert answer["gone_by"] > answer["deleted_at"]
            breath.over.set()
            (heard,) = await asyncio.gather(*talks)
        for viewer in (seen, elsewhere):
            events = [event for _, event in viewer.events]
            (at,) = [n for n, event in enumerate(events) if isinstance(event, Deleted)]
            before = {(e.track, e.utterance) for e in events[:at] if isinstance(e, Caption)}
            after = {
                (e.track, e.utterance): e.text for e in events[at:] if isinstance(e, Caption) and e.final and e.text
            }
            assert not before & after.keys()
            assert said[-1] in after.values()
            assert min(number for _, number in after) > max(number for _, number in before)
        assert heard[-1].json["type"] == "done"
        _, later = await rig.gateway()
        for server in (here, there, later):
            texts, others = await texts_of(server)
            assert said[0] not in texts
            assert texts[-1] == said[-1]
            assert not others
            _, others = await texts_of(server, after=last)
            assert [type(event) for event in others] == [Gap, Deleted]
            assert said[0] not in (await transcript(server)).text
            assert said[-1] in (await transcript(server)).text


async def test_a_worker_that_takes_over_after_a_deletion_brings_nothing_back(bootstrap: str) -> None:
    _, pcm = script_of(2)
    async with rig_on(bootstrap) as rig:
        _, here = await rig.gateway()
        async with watching(here) as seen, speaking([here], pcm, 1):
            await asyncio.sleep(len(pcm) / 16_000)  # nobody decodes yet
            async with httpx.AsyncClient(timeout=30) as http:
                assert (await http.delete(f"{here}/v1/rooms/{ROOM}")).status_code == 202
            await rig.worker(utterances=2)
            ended = time.monotonic() + 60
            while not any(event.json.get("state") == "ended" for _, event in seen.events):
                assert time.monotonic() < ended, "the publisher never got its last finals"
                await asyncio.sleep(0.1)
        assert not [caption for caption in seen.captions if caption.text]
