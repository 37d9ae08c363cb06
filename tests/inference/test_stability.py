"""The setting ``stability`` in the worker, and when partials are searched more widely, in virtual time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from captions.ports.engine import DecodeRequest, Hypothesis
from captions.records import CAPTIONS, PARTIALS
from captions.stability import AGREEMENTS, Stability
from captions.words import Word
from inference.engine.scripted import ScriptedEngine, ScriptedWord
from inference.settings import WorkerSettings
from tests.inference.speaking import speak
from tests.support import memory_log, script_of, told, worker_on

pytestmark = pytest.mark.looptime


class Wavering(ScriptedEngine):
    """Hears every second partial with a wrong second word. Keeps the requests that it got."""

    def __init__(self, script: Sequence[ScriptedWord]) -> None:
        super().__init__(script)
        self.requests: list[DecodeRequest] = []

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.requests += requests
        found = super().decode(requests)
        if requests[0].final or len(self.requests) % 2 or len(found[0].words) < 2:
            return found
        first, _, *others = found[0].words
        return [replace(found[0], words=(first, Word("wrong"), *others)), *found[1:]]


async def texts_of(stability: Stability) -> list[str]:
    script, pcm = script_of(1)
    log = memory_log()
    settings = WorkerSettings(agreement=AGREEMENTS[stability])
    async with worker_on(log, Wavering(script), settings=settings):
        await speak(log, pcm)
        await asyncio.sleep(2)
    (final,) = (await told(log, CAPTIONS)).finals
    assert final.text == " ".join(word.text for word in script)
    return [partial.text for partial in (await told(log, PARTIALS)).partials]


async def test_fast_shows_what_the_last_hypothesis_says_and_the_others_wait() -> None:
    fast, balanced, calm = [await texts_of(stability) for stability in Stability]
    assert len({text.split()[1] for text in fast if len(text.split()) > 2}) == 2
    for texts in (balanced, calm):
        assert len({text.split()[1] for text in texts if len(text.split()) > 2}) == 1


async def test_partials_of_one_stream_are_searched_widely_and_those_of_many_are_not() -> None:
    script, pcm = script_of(1)
    for tracks, unhurried in ((1, True), (4, False)):
        engine = Wavering(script)
        log = memory_log()
        async with worker_on(log, engine, delay=0.3):
            await asyncio.gather(*(speak(log, pcm, track=str(track)) for track in range(tracks)))
            await asyncio.sleep(5)
        partials = [request.unhurried for request in engine.requests if not request.final]
        assert partials.count(unhurried) > len(partials) / 2
        assert not any(request.unhurried for request in engine.requests if request.final)
