"""Overload in virtual time, through publisher, gateway and worker: it degrades in the guaranteed order."""

import asyncio
from collections import Counter

import pytest

from captions.audio import SAMPLE_RATE, to_bytes
from captions.errors import Overloaded
from captions.ports.probe import Probe
from captions.records import CAPTIONS, PARTIALS
from captions.stream_options import AudioFormat, StreamOptions
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine
from streamer.audio.decoder import Decoded
from streamer.audio.raw import RawDecoder
from streamer.gateway import Gateway
from streamer.sessions.feed import Feed
from streamer.sessions.session import Session
from streamer.settings import GatewaySettings
from tests.support import EnergyDetector, LoopClock, memory_log, script_of, told, worker_on

UTTERANCES = 6
SCRIPT, PCM = script_of(UTTERANCES)
FRAME = SAMPLE_RATE // 10


async def speak(gateway: Gateway, track: str) -> Session:
    """Open a session, and send the audio in real time."""
    session = await gateway.sessions.open(RoomId("hall"), StreamOptions(track=track), Feed())
    for at in range(0, len(PCM), FRAME):
        await session.feed(to_bytes(PCM[at : at + FRAME]))
        await asyncio.sleep(0.1)
    await session.finish()
    return session


async def run(delay: float, tracks: int) -> tuple[Counter[int], Counter[str], Overloaded | None]:
    """Count partials per utterance and finals per text; also the refusal of a new session during the talk."""
    log = memory_log()
    gateway = Gateway(log, LoopClock(), Probe(), EnergyDetector, GatewaySettings(overload_after=8.0))
    refusal: Overloaded | None = None
    async with worker_on(log, ScriptedEngine(SCRIPT), delay=delay):
        speaking = [asyncio.create_task(speak(gateway, f"t{number}")) for number in range(tracks)]
        while not all(task.done() for task in speaking):
            await asyncio.sleep(0.5)
            try:
                gateway.sessions.admission.check(RoomId("another").track("main"))
            except Overloaded as error:
                refusal = refusal or error
        sessions = [task.result() for task in speaking]
        await gateway.pending.all_settled()
        # the overload is over when the last final is out
        gateway.sessions.admission.check(RoomId("another").track("main"))
    assert {session.acknowledged for session in sessions} == {len(PCM) * 2}
    partials = Counter(partial.utterance for partial in (await told(log, PARTIALS)).partials)
    finals = Counter(final.text for final in (await told(log, CAPTIONS)).finals)
    await gateway.close()
    return partials, finals, refusal


@pytest.mark.looptime
async def test_partials_thin_out_then_stop_then_newcomers_are_refused_and_nothing_is_lost() -> None:
    tracks = 4
    swift, finals, refusal = await run(delay=0.01, tracks=tracks)
    assert refusal is None
    assert set(finals.values()) == {tracks}
    assert len(finals) == UTTERANCES

    slower, same_finals, refusal = await run(delay=0.8, tracks=tracks)
    assert refusal is None
    assert same_finals == finals
    assert 0 < slower.total() < swift.total() / 2

    swamped, same_finals, refusal = await run(delay=12.0, tracks=tracks)
    assert same_finals == finals
    assert swamped[UTTERANCES - 1] == 0
    assert refusal is not None
    assert refusal.retry_after is not None
    assert refusal.retry_after >= 8


@pytest.mark.looptime
async def test_a_track_that_sends_everything_at_once_keeps_nobody_waiting() -> None:
    log = memory_log()
    gateway = Gateway(log, LoopClock(), Probe(), EnergyDetector, GatewaySettings(overload_after=8.0))
    async with worker_on(log, ScriptedEngine(SCRIPT), delay=0.6):
        hasty = await gateway.sessions.open(RoomId("elsewhere"), StreamOptions(), Feed())
        for _ in range(20):
            await hasty.feed(to_bytes(PCM))
            await asyncio.sleep(0.1)
        speaking = asyncio.create_task(speak(gateway, "live"))
        while not speaking.done():
            await asyncio.sleep(0.5)
            gateway.sessions.admission.check(RoomId("another").track("main"))
        await gateway.pending.settled(RoomId("hall").track("live"))
        assert gateway.pending.waits_for(RoomId("elsewhere").track("main")), (
            "the other one was to be behind all the while"
        )
        heard = [event for event in (await told(log, CAPTIONS)).finals if event.room == "hall"]
        shown = [event for event in (await told(log, PARTIALS)).partials if event.room == "hall"]
    await gateway.close()
    assert len(heard) == UTTERANCES
    assert {partial.utterance for partial in shown} == set(range(UTTERANCES))


class Reasons(Probe):
    """Records why utterances ended."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def utterance_ended(self, duration: float, reason: str) -> None:  # noqa: ARG002 - as the probe has it
        self.told.append(reason)


class Sluggish(RawDecoder):
    """Decodes slowly, like a container's process may: a piece of 0.1 s each second."""

    def __init__(self, *_: object) -> None:
        super().__init__(AudioFormat())
        self._next = 0.0

    def take(self, at_least: int = 1) -> Decoded | None:  # noqa: ARG002 - one piece at a time
        """Return a piece if it is due."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._next or not self._waiting:
            loop.call_at(self._next, self.ready.set)
            return None
        self._next = loop.time() + 1.0
        return self._waiting.popleft()


@pytest.mark.looptime
async def test_audio_that_is_decoded_long_after_it_came_has_not_stopped_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.sessions.creation.open_decoder", Sluggish)
    reasons = Reasons()
    gateway = Gateway(memory_log(), LoopClock(), reasons, EnergyDetector, GatewaySettings(stall_timeout=3.0))
    session = await gateway.sessions.open(RoomId("hall"), StreamOptions(), Feed())
    for at in range(0, 5 * SAMPLE_RATE, FRAME):
        await session.feed(to_bytes(PCM[at : at + FRAME]))
    await asyncio.sleep(45)  # the rest is decoded later
    await session.finish()
    assert reasons.told == ["endpoint", "end"]
    await gateway.close()
