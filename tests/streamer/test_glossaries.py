"""Glossaries over the log, and what sessions make of them, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from captions.audio import SAMPLE_RATE
from captions.errors import Changed, LogError
from captions.glossary_records import write_glossary
from captions.ports.glossaries import Glossaries
from captions.ports.log import Bounds, Entry, Log, Record
from captions.ports.probe import Probe
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, GLOSSARIES, PARTIALS, AudioMark, AudioSegment, read_audio
from captions.room_settings import RoomSettings
from captions.session import MOST_BYTES, write_settings
from captions.stored_glossary import Owner, StoredGlossary
from captions.terms import Term, merged
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.glossaries import READ_TIMEOUT, WRITE_TIMEOUT, glossaries_on_log
from streamer.settings import GatewaySettings
from tests.streamer.gateways import AUDIO as SOUND
from tests.streamer.gateways import SCRIPT, opened, send_audio
from tests.streamer.glossaries_contract import ACME, HALL, GlossariesContract
from tests.support import EnergyDetector, LoopClock, terms
from transport.memory import MemoryLog, TopicSettings

pytestmark = pytest.mark.looptime

TOPICS = (AUDIO, CAPTIONS, PARTIALS, DEAD_LETTERS, GLOSSARIES)


class Failing(MemoryLog):
    """A log that is away while a test says so, or keeps what is appended from its readers."""

    away = False
    silent = False

    async def append(self, topic: str, record: Record) -> int:
        if self.away:
            raise LogError("away")
        return 10**9 if self.silent else await super().append(topic, record)

    async def bounds(self, topic: str, partition: int) -> Bounds:
        if self.away:
            raise LogError("away")
        return await super().bounds(topic, partition)


def a_log() -> Failing:
    return Failing({topic: TopicSettings() for topic in TOPICS}, LoopClock(), first_offset=0)


async def entries(log: Log, topic: str) -> list[Entry]:
    found: list[Entry] = []
    bounds = await log.bounds(topic, 0)
    if bounds.earliest < bounds.end:
        async for entry in log.read(topic, 0, bounds.earliest):
            found.append(entry)
            if entry.offset == bounds.end - 1:
                break
    return found


class TestGlossariesOnLog(GlossariesContract):
    @pytest.fixture(autouse=True)
    def a_log(self) -> None:
        self.log = a_log()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Glossaries]:
        async with glossaries_on_log(self.log) as glossaries:
            yield glossaries

    def open(self) -> AbstractAsyncContextManager[Glossaries]:
        return self.opened()


async def test_what_was_replaced_or_deleted_leaves_the_log_in_memory_at_once() -> None:
    log = a_log()
    async with glossaries_on_log(log) as glossaries:
        await glossaries.put(HALL, terms("unspeakable"))
        await glossaries.put(ACME, terms("pod"))
        await glossaries.put(HALL, terms("node"))
        await glossaries.put(HALL, ())
        values = [entry.record.value for entry in await entries(log, GLOSSARIES)]
        assert values == [b"", b'{"terms":["pod"]}', b"", b""]


async def test_a_gateway_that_starts_after_a_compaction_agrees_with_one_that_was_there() -> None:
    """The one that was refused writes what stands again: only the last record of a key survives."""
    log = a_log()
    async with glossaries_on_log(log) as here, glossaries_on_log(log) as there:
        version = (await here.put(HALL, terms("pod"))).version
        await asyncio.sleep(1)
        outcomes = await asyncio.gather(
            here.put(HALL, terms("first"), version), there.put(HALL, terms("second"), version), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes].count(Changed) == 1
        stands = here.of(HALL)
    compacted = a_log()
    await compacted.append(GLOSSARIES, (await entries(log, GLOSSARIES))[-1].record)
    async with glossaries_on_log(compacted) as late:
        assert late.of(HALL) == stands


async def test_a_record_that_is_no_glossary_is_passed_over() -> None:
    log = a_log()
    for record in (
        Record("a/b/c", b"{}"),
        Record(HALL.key, b"x"),
        Record(HALL.key, b'{"terms":[""]}'),
        Record("", b"{}"),
    ):
        await log.append(GLOSSARIES, record)
    await log.append(GLOSSARIES, write_glossary(HALL, StoredGlossary(terms("pod"))))
    async with glossaries_on_log(log) as glossaries:
        assert glossaries.of(HALL).glossary.terms == terms("pod")


async def test_a_log_that_does_not_answer_keeps_no_gateway_down() -> None:
    log = a_log()
    async with glossaries_on_log(log) as glossaries:
        await glossaries.put(HALL, terms("pod"))
    log.away = True
    began = asyncio.get_running_loop().time()
    async with glossaries_on_log(log) as late:
        assert asyncio.get_running_loop().time() - began == pytest.approx(READ_TIMEOUT)
        with pytest.raises(LogError):
            await late.put(HALL, terms("node"))
        log.away = False
        await asyncio.sleep(10)
        assert late.of(HALL).glossary.terms == terms("pod")
        log.silent = True
        began = asyncio.get_running_loop().time()
        with pytest.raises(LogError, match="does not give"):
            await late.put(HALL, terms("node"))
        assert asyncio.get_running_loop().time() - began == pytest.approx(WRITE_TIMEOUT)


class FromFile:
    """A RoomDirectory with a table for every room."""

    async def settings_of(self, _: RoomId) -> RoomSettings:
        return TABLE


TABLE = RoomSettings(vocabulary=terms("of the table", "pod"))


@asynccontextmanager
async def gateways() -> AsyncIterator[tuple[Failing, Gateway, Gateway]]:
    log = a_log()
    async with glossaries_on_log(log) as one, glossaries_on_log(log) as other:
        both = [
            Gateway(
                log, LoopClock(), Probe(), EnergyDetector, GatewaySettings(), rooms=FromFile(), glossaries=glossaries
            )
            for glossaries in (one, other)
        ]
        yield log, both[0], both[1]
        for gateway in both:
            await gateway.close()


async def spoken(log: Log) -> list[AudioSegment]:
    """The first segment of each utterance."""
    records = [read_audio(entry.record) for entry in await entries(log, AUDIO)]
    return [record for record in records if isinstance(record, AudioSegment) and record.first]


def texts(segment: AudioSegment) -> list[str]:
    assert segment.settings is not None
    return [term.text for term in segment.settings.vocabulary]


ROOM, ALL_ROOMS = Owner(None, "hall"), Owner(None)
PAUSE = round((SCRIPT[7].end + 0.7) * SAMPLE_RATE) * 2
SECOND_PAUSE = round((SCRIPT[15].end + 0.7) * SAMPLE_RATE) * 2


async def test_a_change_counts_for_utterances_that_begin_after_it_also_at_another_gateway() -> None:
    async with gateways() as (log, here, there):
        heavy = Term(text="pod", weight=3)
        await here.glossaries.put(ALL_ROOMS, terms("of all rooms", "of the room"))
        session, _ = await opened(here, vocabulary="my own")
        await send_audio(session, 0, PAUSE)
        await there.glossaries.put(ROOM, (*terms("of the room"), heavy))
        await send_audio(session, PAUSE, SECOND_PAUSE)
        moved, _ = await opened(there, session.id)
        await here.glossaries.put(ALL_ROOMS, ())
        await asyncio.sleep(1)
        await send_audio(moved, moved.acknowledged, len(SOUND))
        first, second, third = await spoken(log)
        assert texts(first) == ["my own", "of the table", "pod", "of all rooms", "of the room"]
        assert texts(second) == ["my own", "of the room", "pod", "of the table", "of all rooms"]
        assert texts(third) == ["my own", "of the room", "pod", "of the table"]
        assert second.settings is not None
        assert second.settings.vocabulary[2] == heavy


async def test_marks_carry_the_terms_of_the_publisher_alone() -> None:
    async with gateways() as (log, here, _):
        await here.glossaries.put(ROOM, terms("of the room"))
        await opened(here, vocabulary="my own")
        await asyncio.sleep(10)
        marks = [read_audio(entry.record) for entry in await entries(log, AUDIO)]
        assert len(marks) > 3
        for mark in marks:
            assert isinstance(mark, AudioMark)
            assert mark.settings.vocabulary == terms("my own")


async def test_terms_take_no_more_of_a_record_than_they_may() -> None:
    many = tuple(Term(text=f"term {n}", sounds_like=(f"sound {n} of this term",)) for n in range(1000))
    async with gateways() as (log, here, _):
        await here.glossaries.put(ROOM, many)
        session, _ = await opened(here, vocabulary="my own")
        await send_audio(session, 0, PAUSE)
        (first,) = await spoken(log)
        assert first.settings is not None
        assert first.settings.vocabulary == merged(terms("my own"), many)[: len(first.settings.vocabulary)]
        assert 400 < len(first.settings.vocabulary) < 600
        assert len(write_settings(first.settings)) < MOST_BYTES + 200
