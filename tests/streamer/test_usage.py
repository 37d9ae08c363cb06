"""Usage over the log: two gateways count together, in virtual time."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from captions.access import Principal, Right
from captions.errors import LogError, QuotaExceeded
from captions.limits import Allowance
from captions.ports.log import Bounds, Record
from captions.ports.probe import Probe
from captions.ports.usage import UsageLedger
from captions.publication import Audio
from captions.records import USAGE
from captions.stream_options import StreamOptions
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.sessions.feed import Feed
from streamer.settings import GatewaySettings
from streamer.usage import READ_TIMEOUT, WRITE_INTERVAL, UsageOnLog, usage_on_log
from tests.streamer.gateways import AUDIO, FRAME
from tests.streamer.usage_contract import UsageContract
from tests.support import EnergyDetector, LoopClock
from transport.memory import MemoryLog, TopicSettings

pytestmark = pytest.mark.looptime

WRITERS = itertools.count()
TOPICS = ("audio", "captions", "partials", "dead-letters", USAGE)


def a_log() -> MemoryLog:
    return MemoryLog({topic: TopicSettings() for topic in TOPICS}, LoopClock(), first_offset=0)


class TestUsageOnLog(UsageContract):
    @pytest.fixture(autouse=True)
    def a_log(self) -> None:
        self.log = a_log()

    @asynccontextmanager
    async def open_on_log(self) -> AsyncIterator[UsageLedger]:
        async with usage_on_log(self.log, self.calendar, f"gateway-{next(WRITERS)}") as usage:
            yield usage

    def open(self) -> AbstractAsyncContextManager[UsageLedger]:
        return self.open_on_log()


class Failing(MemoryLog):
    """A log that is away while a test says so."""

    away = False

    async def append(self, topic: str, record: Record) -> int:
        if self.away:
            raise LogError("away")
        return await super().append(topic, record)

    async def bounds(self, topic: str, partition: int) -> Bounds:
        if self.away:
            raise LogError("away")
        return await super().bounds(topic, partition)


async def test_what_the_log_did_not_take_is_written_later() -> None:
    log = Failing({topic: TopicSettings() for topic in TOPICS}, LoopClock(), first_offset=0)
    async with usage_on_log(log, LoopClock(), "one") as usage, usage_on_log(log, LoopClock(), "two") as other:
        usage.add("key:a", 5)
        log.away = True
        await asyncio.sleep(3 * WRITE_INTERVAL)
        assert other.used("key:a") == 0
        log.away = False
        usage.add("key:a", 1)
        await asyncio.sleep(WRITE_INTERVAL + 1)
        assert other.used("key:a") == 6


async def test_a_log_that_does_not_answer_keeps_no_gateway_down() -> None:
    log = Failing({topic: TopicSettings() for topic in TOPICS}, LoopClock(), first_offset=0)
    async with usage_on_log(log, LoopClock(), "one") as usage:
        usage.add("key:a", 5)
    log.away = True
    began = asyncio.get_running_loop().time()
    async with usage_on_log(log, LoopClock(), "two") as late:
        assert asyncio.get_running_loop().time() - began == pytest.approx(READ_TIMEOUT)
        assert late.used("key:a") == 0
        log.away = False
        await asyncio.sleep(10)
        assert late.used("key:a") == 5


async def test_a_record_that_is_no_total_is_passed_over() -> None:
    log = a_log()
    await log.append(USAGE, Record("nonsense", b"x"))
    async with usage_on_log(log, LoopClock(), "one") as usage:
        usage.add("key:a", 5)
        assert usage.used("key:a") == 5


async def test_an_account_that_is_not_used_is_not_written_again() -> None:
    log = a_log()
    async with usage_on_log(log, LoopClock(), "one") as usage:
        usage.add("key:a", 5)
        await asyncio.sleep(20 * WRITE_INTERVAL)
        assert (await log.bounds(USAGE, 0)).end == 1


def gateway_with(log: MemoryLog, usage: UsageOnLog) -> Gateway:
    settings = GatewaySettings(key_limits=Allowance(minutes=0.05), tenant_limits=Allowance(speed=2), audio_burst=1)
    return Gateway(log, LoopClock(), Probe(), EnergyDetector, settings, usage=usage)


KEY = Principal(rooms=("*",), rights=frozenset({Right.PUBLISH}), credential="a", tenant="acme")


async def test_what_a_key_sent_to_one_gateway_is_missing_from_its_minutes_at_the_other() -> None:
    log = a_log()
    async with usage_on_log(log, LoopClock(), "one") as usage, usage_on_log(log, LoopClock(), "two") as other:
        here, there = gateway_with(log, usage), gateway_with(log, other)
        caller = here.limits.caller(KEY, "192.0.2.1")
        session = await here.sessions.open(RoomId("hall"), StreamOptions(), Feed(), caller)
        for at in range(0, 4 * 32_000, FRAME):
            await session.feed(AUDIO[at : at + FRAME])
            await asyncio.sleep(0.1)
        await asyncio.sleep(WRITE_INTERVAL + 0.5)
        with pytest.raises(QuotaExceeded) as refused:
            await there.sessions.open(RoomId("other"), StreamOptions(), Feed(), caller)
        assert "this key has sent its 0.05 minutes of audio of this month" in refused.value.message
        assert refused.value.retry_after is not None
        for gateway in (here, there):
            await gateway.close()


async def test_audio_that_comes_all_at_once_is_taken_at_the_speed_that_is_allowed() -> None:
    log = a_log()
    async with usage_on_log(log, LoopClock(), "one") as usage:
        gateway = gateway_with(log, usage)
        publication = await gateway.publish(RoomId("hall"), StreamOptions(), gateway.limits.caller(KEY, "192.0.2.1"))
        await publication.begin()
        began, seconds = asyncio.get_running_loop().time(), len(AUDIO) / 32_000
        for at in range(0, len(AUDIO), FRAME):
            await publication.execute(Audio(AUDIO[at : at + FRAME]))
            await asyncio.sleep(0.001)
        took = asyncio.get_running_loop().time() - began
        assert (seconds - 1 - 1) / 2 < took <= (seconds - 1) / 2 + 0.2
        await gateway.close()
