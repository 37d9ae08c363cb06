"""What several tests are made of: a script to say, an ear for it, a whole system in this process."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from captions.audio import Pcm
from captions.messages import CaptionMessage, RoomEvent
from captions.ports.engine import DecodeRequest, Engine, Hypothesis
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.tracer import NO_TRACES, Tracer
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, PARTIALS, read_room_event
from captions.terms import Term
from inference.decoders import Decode, Decoder, Decoders
from inference.engine.scripted import ScriptedWord, scripted_audio
from inference.settings import WorkerSettings
from inference.spare_time import SpareTime
from inference.worker import Worker
from transport.memory import MemoryLog, TopicSettings

SENTENCE = [
    "the",
    "log",
    "is",
    "the",
    "spine",
    "of",
    "everything",
    "that",
    "we",
    "build",
    "here",
    "and",
    "it",
    "must",
    "never",
    "lose",
    "a",
    "word",
]


class LoopClock:
    """The event loop's time, virtual where the loop's is."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return 1_764_000_000.0 + asyncio.get_running_loop().time()


class RecordingProbe(Probe):
    """Every hook's calls, with when in the loop's time."""

    def __init__(self) -> None:
        self.calls: dict[str, list[tuple[float, tuple[Any, ...]]]] = defaultdict(list)
        for hook in dir(Probe):
            if not hook.startswith("_"):
                setattr(self, hook, self._recorder(hook))

    def _recorder(self, hook: str) -> Any:  # noqa: ANN401 - any hook's signature
        return lambda *arguments: self.calls[hook].append((asyncio.get_running_loop().time(), arguments))

    def values(self, hook: str, since: float = 0.0) -> list[Any]:
        """The single arguments of the calls."""
        return [arguments[0] for at, arguments in self.calls[hook] if at >= since]

    def last(self, hook: str) -> Any:  # noqa: ANN401 - any hook's argument
        return self.calls[hook][-1][1][0]


class EnergyDetector:
    """Speech is what is loud."""

    frame_samples = 320

    def probability(self, frame: Pcm) -> float:
        return float(np.abs(frame.astype(np.int32)).mean() > 500)


def script_of(utterances: int, *, words: int = 8, seed: int = 0) -> tuple[list[ScriptedWord], Pcm]:
    """So many utterances of so many words, with pauses of a second, and their audio."""
    rng = random.Random(seed)
    script: list[ScriptedWord] = []
    at = 0.5
    for _ in range(utterances):
        for _ in range(words):
            length = rng.uniform(0.15, 0.45)
            script.append(ScriptedWord(rng.choice(SENTENCE), round(at, 3), round(at + length, 3)))
            at += length + 0.03
        at += 1.0
    return script, scripted_audio(script, at)


def terms(*texts: str) -> tuple[Term, ...]:
    """Terms of which nothing is known but how they are written."""
    return tuple(Term(text=text) for text in texts)


def memory_log(**audio: int) -> MemoryLog:
    topics = {
        AUDIO: TopicSettings(**audio),
        CAPTIONS: TopicSettings(),
        PARTIALS: TopicSettings(),
        DEAD_LETTERS: TopicSettings(),
    }
    return MemoryLog(topics, LoopClock(), first_offset=0, session_timeout=2.0)


def inline(engine: Engine, delay: float = 0.0) -> Decode:
    """The engine's decode in the loop's own time: ``delay`` seconds for each call."""

    async def decode(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        await asyncio.sleep(delay)
        return engine.decode(requests)

    return decode


def decoders_of(*engines: Engine, delay: float = 0.0) -> Decoders:
    """Engines that decode in the loop's own time; the first is the default."""
    return Decoders(*(Decoder(engine, inline(engine, delay)) for engine in engines))


@asynccontextmanager
async def worker_on(
    log: Log,
    *engines: Engine,
    delay: float = 0.0,
    settings: WorkerSettings | None = None,
    probe: Probe | None = None,
    tracer: Tracer = NO_TRACES,
    spare_time: SpareTime | None = None,
) -> AsyncIterator[None]:
    """A worker while the context lasts; leaving it is a death: nothing is finished first."""
    worker = Worker(
        log,
        decoders_of(*engines, delay=delay),
        LoopClock(),
        probe or Probe(),
        settings or WorkerSettings(),
        tracer=tracer,
        spare_time=spare_time,
    )
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Told:
    """Everything a topic of room events holds, in order."""

    events: list[RoomEvent]

    @property
    def finals(self) -> list[CaptionMessage]:
        return [event for event in self.events if isinstance(event, CaptionMessage) and event.final]

    @property
    def partials(self) -> list[CaptionMessage]:
        return [event for event in self.events if isinstance(event, CaptionMessage) and not event.final]


async def told(log: Log, topic: str) -> Told:
    """What topic ``topic`` (of one partition) holds now."""
    bounds = await log.bounds(topic, 0)
    events: list[RoomEvent] = []
    if bounds.earliest < bounds.end:
        async for entry in log.read(topic, 0, bounds.earliest):
            events.append(read_room_event(entry.record))
            if entry.offset == bounds.end - 1:
                break
    return Told(events)
