"""A room keeps its finals for less time than the log, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from captions.messages import CaptionMessage, Gap, TrackMessage
from captions.ports.probe import Probe
from captions.records import CAPTIONS, write_room_event
from captions.room_settings import RoomSettings
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from tests.captions.messages import caption
from tests.support import EnergyDetector, LoopClock, memory_log
from transport.memory import MemoryLog

pytestmark = pytest.mark.looptime

SHORT, LONG = RoomId("short", "acme"), RoomId("long")


class Directory:
    async def settings_of(self, room: RoomId) -> RoomSettings:
        return RoomSettings(retention=120.0 if room.tenant == "acme" else None)


@asynccontextmanager
async def gateway_on(log: MemoryLog) -> AsyncIterator[Gateway]:
    gateway = Gateway(log, LoopClock(), Probe(), EnergyDetector, GatewaySettings(), rooms=Directory())
    try:
        yield gateway
    finally:
        await gateway.close()


async def say(log: MemoryLog, room: RoomId, utterance: int) -> int:
    event = caption(room=room.name, utterance=utterance, final=True, text=f"number {utterance}")
    return await log.append(CAPTIONS, write_room_event(room, event))


async def texts(gateway: Gateway, room: RoomId) -> list[str]:
    finals = (await gateway.hub.open(room)).history.finals(before=None, last=None)
    return [CaptionMessage.model_validate_json(event.json).text for event in finals]


async def bytes_of(log: MemoryLog) -> bytes:
    bounds, held = await log.bounds(CAPTIONS, 0), b""
    reading = log.read(CAPTIONS, 0, bounds.earliest)
    for _ in range(bounds.end - bounds.earliest):
        held += (await anext(reading)).record.value
    await reading.aclose()
    return held


async def test_older_finals_are_hidden_and_erased_and_other_rooms_keep_theirs() -> None:
    log = memory_log()
    async with gateway_on(log) as gateway:
        first = await say(log, SHORT, 0)
        await say(log, LONG, 0)
        assert await texts(gateway, SHORT) == ["number 0"]
        await asyncio.sleep(100)
        await say(log, SHORT, 1)
        await asyncio.sleep(30)
        assert await texts(gateway, SHORT) == ["number 1"]
        assert await texts(gateway, LONG) == ["number 0"]
        room = gateway.hub.room(SHORT)
        replay = room.replay(gateway.viewer(), await gateway.hub.bounds(SHORT), first - 1, None)
        assert isinstance(replay.gap, Gap)
        assert (await bytes_of(log)).count(b"number 0") == 1
        await asyncio.sleep(200)  # nobody asks, and it is swept all the same
        assert not room.history.blocks
        assert b"number 1" not in await bytes_of(log)


async def test_a_gateway_that_starts_later_hides_the_same_and_numbers_go_on() -> None:
    log = memory_log()
    ended = TrackMessage(room=SHORT.name, track="main", state="ended")
    for utterance in range(3):
        await say(log, SHORT, utterance)
    await log.append(CAPTIONS, write_room_event(SHORT, ended))
    await asyncio.sleep(121)
    async with gateway_on(log) as gateway:
        assert await texts(gateway, SHORT) == []
        last = gateway.hub.room(SHORT).state.last_utterance("main")
        assert last is not None
        assert last.number == 2
