"""The live policy on a simulated clock: one stream, the real worker, no network and no waiting.

A recording is cut into pieces as the gateway cuts it, and each piece is appended to a log in memory when its audio
would have been spoken. The worker, its scheduler, its revision and its publisher are the product's own. A decode takes
a fixed time, so that the captions, and when they come, are the same in every run and on every machine.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Hashable, MutableMapping, Sequence
from dataclasses import dataclass, replace

import looptime

from captions.audio import SAMPLE_RATE, Pcm
from captions.listener import Listener
from captions.messages import CaptionMessage
from captions.ports.engine import DecodeRequest, Engine, Hypothesis
from captions.ports.probe import Probe
from captions.quality import Arrival
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, PARTIALS, AudioSegment, read_room_event, write_audio
from captions.segmenter import Piece, Segmenter, SegmenterSettings
from captions.session import SessionSettings
from captions.track import RoomId
from inference.decoders import Decoder, Decoders
from inference.settings import WorkerSettings
from inference.worker import Worker
from streamer.vad import detector_factory
from transport.memory import MemoryLog, TopicSettings

FRAME = SAMPLE_RATE // 50
"""Samples of 20 ms, as clients send them."""

TRACK = RoomId("bench").track("main")
SETTLED = 5.0
"""Seconds after the last piece in which its final is decoded."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A piece, and the second of the recording at which the gateway sends it."""

    at: float
    piece: Piece


def sent(pcm: Pcm, settings: SegmenterSettings | None = None) -> list[Sent]:
    """The pieces of a recording, and when they are sent: at the end of the frame that completes them."""
    detector = detector_factory("cascade")()
    listener = Listener(detector, Segmenter(settings or SegmenterSettings(), frame_samples=detector.frame_samples))
    found = []
    for begin in range(0, len(pcm), FRAME):
        frame = pcm[begin : begin + FRAME]
        found += [Sent((begin + len(frame)) / SAMPLE_RATE, piece) for piece in listener.push(frame)]
    return [*found, *(Sent(len(pcm) / SAMPLE_RATE, piece) for piece in listener.finish())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds that a decode takes: those of any, and those for each second of its audio."""

    fixed: float
    per_second: float

    def of(self, requests: Sequence[DecodeRequest]) -> float:
        """The seconds of one batch."""
        return self.fixed + self.per_second * sum(len(request.pcm) for request in requests) / SAMPLE_RATE


class Remembering:
    """An engine that decodes each request once. ``known`` holds what it decoded, by ``name`` and request."""

    decoders = 1

    def __init__(self, engine: Engine, name: str, known: MutableMapping[str, Hypothesis]) -> None:
        self._engine = engine
        self._name = name
        self._known = known

    @property
    def model_name(self) -> str:
        """That of the engine."""
        return self._engine.model_name

    @property
    def revision(self) -> str:
        """That of the engine."""
        return self._engine.revision

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        """That of the engine."""
        return self._engine.batch_key(samples, final=final)

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """One hypothesis for each request, decoded alone."""
        return [self._decode(request) for request in requests]

    def _decode(self, request: DecodeRequest) -> Hypothesis:
        asked = repr((self._name, replace(request, pcm=request.pcm[:0]))).encode()
        key = hashlib.sha256(asked + request.pcm.tobytes()).hexdigest()
        if key not in self._known:
            (self._known[key],) = self._engine.decode([request])
        return self._known[key]


class _LoopClock:
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return asyncio.get_running_loop().time()


def live(engine: Engine, pieces: Sequence[Sent], settings: WorkerSettings, cost: Cost) -> list[Arrival]:
    """The captions of one stream in the order they come, in seconds from the recording's start."""
    loop = looptime.new_event_loop(start=0.0)
    try:
        return loop.run_until_complete(_live(engine, pieces, settings, cost))
    finally:
        loop.close()


async def _live(engine: Engine, pieces: Sequence[Sent], settings: WorkerSettings, cost: Cost) -> list[Arrival]:
    async def decode(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        await asyncio.sleep(cost.of(requests))
        return engine.decode(requests)

    clock = _LoopClock()
    topics = (AUDIO, CAPTIONS, PARTIALS, DEAD_LETTERS)
    log = MemoryLog({topic: TopicSettings() for topic in topics}, clock, first_offset=0)
    worker = Worker(log, Decoders(Decoder(engine, decode)), clock, Probe(), settings)
    working = asyncio.create_task(worker.run())
    for one in pieces:
        await asyncio.sleep(one.at - clock.wall())
        await log.append(AUDIO, write_audio(_segment(one.piece)))
    await asyncio.sleep(SETTLED)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    arrivals = [*await _arrivals(log, PARTIALS), *await _arrivals(log, CAPTIONS)]
    return sorted(arrivals, key=lambda arrival: arrival.at)


async def _arrivals(log: MemoryLog, topic: str) -> list[Arrival]:
    bounds = await log.bounds(topic, 0)
    found: list[Arrival] = []
    if bounds.earliest == bounds.end:
        return found
    async with contextlib.aclosing(log.read(topic, 0, bounds.earliest)) as entries:
        async for entry in entries:
            event = read_room_event(entry.record)
            if isinstance(event, CaptionMessage):
                found.append(Arrival(entry.timestamp, event))
            if entry.offset == bounds.end - 1:
                break
    return found


def _segment(piece: Piece) -> AudioSegment:
    return AudioSegment(
        track=TRACK,
        utterance=piece.utterance,
        number=piece.number,
        start=piece.start,
        pcm=piece.pcm,
        offset=0,
        last=piece.last,
        end=piece.end,
        paused=piece.paused,
        settings=SessionSettings(session="bench", origin=0.0, language="en") if piece.number == 0 else None,
    )
