"""The second pass on a log in virtual time, and what it published."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from captions.caption import Pass
from captions.messages import CaptionMessage
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Log
from captions.records import CAPTIONS
from inference.decoders import Decoder, Decoders
from inference.engine.scripted import ScriptedEngine, ScriptedWord
from inference.refine import Refiner
from inference.second_pass import RefineSettings, SpareTime, at_once
from inference.settings import WorkerSettings
from tests.support import LoopClock, RecordingProbe, inline, told

LONG = 9.0
"""Seconds of audio from which on the mishearing engine hears rightly: longer than any utterance here."""


class Mishearing(ScriptedEngine):
    """Hears "spine" rightly in long windows only; it remembers what it was asked."""

    def __init__(self, script: Sequence[ScriptedWord]) -> None:
        super().__init__(script)
        self.windows: list[float] = []

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        found = super().decode(requests)
        return [self._heard(request, one) for request, one in zip(requests, found, strict=True)]

    def _heard(self, request: DecodeRequest, found: Hypothesis) -> Hypothesis:
        seconds = len(request.pcm) / 16_000
        self.windows.append(seconds)
        if seconds >= LONG:
            return found
        words = (replace(w, text="spying" if w.text == "spine" else w.text) for w in found.words)
        return replace(found, words=tuple(words))


@asynccontextmanager
async def refiner_on(
    log: Log,
    engine: ScriptedEngine,
    *,
    delay: float = 0.1,
    probe: RecordingProbe | None = None,
    refine: RefineSettings | None = None,
    settings: WorkerSettings | None = None,
    spare_time: SpareTime = at_once,
) -> AsyncIterator[Refiner]:
    """A member of the group while the context lasts; leaving it is a death."""
    refiner = Refiner(
        log,
        Decoders(Decoder(engine, inline(engine, delay))),
        clock=LoopClock(),
        probe=probe or RecordingProbe(),
        settings=settings or WorkerSettings(),
        refine=refine or RefineSettings(),
        spare_time=spare_time,
    )
    task = asyncio.create_task(refiner.run())
    try:
        yield refiner
        assert not task.done(), "it failed"
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


async def refined(log: Log) -> list[CaptionMessage]:
    return [caption for caption in (await told(log, CAPTIONS)).finals if caption.version.pass_ is Pass.REFINED]


async def standing(log: Log) -> dict[tuple[str, int], CaptionMessage]:
    """What a viewer sees at the end."""
    found: dict[tuple[str, int], CaptionMessage] = {}
    for caption in (await told(log, CAPTIONS)).finals:
        key = caption.track, caption.utterance
        if key not in found or caption.version > found[key].version:
            found[key] = caption
    return found
