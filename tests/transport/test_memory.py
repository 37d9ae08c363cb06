import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import numpy as np
import pytest

from captions.errors import LogError
from captions.log_reading import entries_between
from captions.ports.log import Assigned, Entry, Record, Revoked
from captions.records import AudioSegment, write_audio
from captions.track import RoomId
from tests.support import LoopClock
from tests.transport.contract import LogContract, gather_entries, poll_until, values
from transport.memory import MemoryLog, TopicSettings
from transport.memory.partition import Partition
from transport.partitioner import murmur2


class TestMemoryLog(LogContract):
    @pytest.fixture
    async def log(self) -> MemoryLog:
        topics = {
            "one": TopicSettings(),
            "four": TopicSettings(partitions=4),
            "full": TopicSettings(retention_bytes=5000),
        }
        return MemoryLog(topics, LoopClock())


def small(**settings: float) -> MemoryLog:
    topic = TopicSettings(**settings)  # type: ignore[arg-type] # the settings' own names
    return MemoryLog({"one": topic}, LoopClock(), first_offset=0, session_timeout=2.0)


KILOBYTE = Record("k", bytes(1000))


@pytest.mark.parametrize(
    ("data", "digest"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
def test_murmur2_is_kafkas(data: bytes, digest: int) -> None:
    assert murmur2(data) == digest & 0xFFFFFFFF


async def test_offsets_grow_across_restarts() -> None:
    first = MemoryLog({"one": TopicSettings()}, LoopClock())
    last = [await first.append("one", KILOBYTE) for _ in range(3)][-1]
    await asyncio.sleep(0.02)
    second = MemoryLog({"one": TopicSettings()}, LoopClock())
    assert (await second.bounds("one", 0)).first > last


async def test_the_oldest_bytes_go_first_and_readers_jump_to_what_is_left() -> None:
    log = small(retention_bytes=5000)
    for _ in range(10):
        await log.append("one", KILOBYTE)
    bounds = await log.bounds("one", 0)
    assert (bounds.first, bounds.end) == (0, 10)
    assert 5 <= bounds.earliest <= 8
    assert len(await values(log, "one", 0, 0, bounds.end - bounds.earliest)) == bounds.end - bounds.earliest


@pytest.mark.looptime
async def test_old_entries_go() -> None:
    log = small(retention_seconds=60)
    await log.append("one", KILOBYTE)
    await asyncio.sleep(50)
    await log.append("one", KILOBYTE)
    assert (await log.bounds("one", 0)).earliest == 0
    await asyncio.sleep(20)
    assert (await log.bounds("one", 0)).earliest == 1
    await asyncio.sleep(60)
    assert (await log.bounds("one", 0)).earliest == 2


@pytest.mark.looptime
async def test_old_entries_go_where_nobody_appends_or_reads() -> None:
    log = small(retention_seconds=60)
    await log.append("one", KILOBYTE)
    (partition,) = log._topics["one"]
    await asyncio.sleep(61)
    assert partition.bytes > 1000
    log.trim()
    assert partition.bytes == 0


def test_an_entry_counts_as_what_it_takes() -> None:
    quiet = np.zeros(3200, np.int16)
    records = [
        write_audio(
            AudioSegment(track=RoomId("hall").track("main"), utterance=n, number=1, start=n, pcm=quiet, offset=n)
        )
        for n in range(1000)
    ]
    partition = Partition("one", 0, 10**12, lambda: None)
    tracemalloc.start()
    try:
        for record in records:
            copy = Record(record.key + "", bytes(bytearray(record.value)), dict(record.headers))
            partition.append(copy, 1.5 + partition.end)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert partition.bytes == pytest.approx(taken, rel=0.1)


@pytest.mark.looptime
async def test_what_a_group_has_not_committed_stays_and_appends_wait_for_it() -> None:
    log = small(retention_bytes=5000, retention_seconds=1)
    async with log.join("one", "live") as member:
        await poll_until(member, lambda event: isinstance(event, Assigned))
        appended: list[int] = []

        async def write() -> None:
            for _ in range(10):
                appended.append(await log.append("one", KILOBYTE))  # noqa: PERF401 - watched while it grows

        writing = asyncio.create_task(write())
        await asyncio.sleep(1)
        assert 0 < len(appended) < 6
        entries: list[Entry] = []
        while len(entries) < 10:
            entries += await gather_entries(member, 1)
            await member.commit(0, entries[-1].offset + 1)
        await writing
    assert [entry.offset for entry in entries] == list(range(10))


@pytest.mark.looptime
async def test_a_member_that_polls_no_more_is_put_out() -> None:
    log = small()
    await log.append("one", KILOBYTE)
    async with log.join("one", "live") as silent:
        await gather_entries(silent, 1)
        async with log.join("one", "live") as other:
            assert len(await gather_entries(other, 1)) == 1
            await silent.commit(0, 1)
            assert (await poll_for_offset(log)) == 0


async def poll_for_offset(log: MemoryLog) -> int:
    """Where the group would begin again."""
    return log._groups["one"]["live"].committed[0]


async def test_a_record_larger_than_the_topic_is_refused() -> None:
    with pytest.raises(LogError, match="exceeds the capacity of topic"):
        await small(retention_bytes=500).append("one", KILOBYTE)


@pytest.mark.looptime
async def test_a_member_that_was_put_out_is_told_so_and_comes_back() -> None:
    log = small()
    async with log.join("one", "live") as member:
        for value in (b"0", b"1"):
            await log.append("one", Record("k", value))
        await gather_entries(member, 2)
        await member.commit(0, 1)
        await asyncio.sleep(30)
        await member.commit(0, 2)
        assert [type(event) for event in await member.poll(1)] == [Revoked, Assigned, Entry]
        await log.append("one", Record("k", b"2"))
        assert [entry.offset for entry in await gather_entries(member, 1)] == [2]


@pytest.mark.looptime
async def test_a_member_that_waits_in_a_poll_is_not_put_out() -> None:
    log = small()
    async with log.join("one", "live") as member:
        await poll_until(member, lambda event: isinstance(event, Assigned))
        assert list(await member.poll(60)) == []
        await member.commit(0, 0)
        await log.append("one", KILOBYTE)
        assert [type(event) for event in await member.poll(60)] == [Entry]


@pytest.mark.looptime
async def test_a_revoked_partition_is_handed_over_at_the_next_poll() -> None:
    log = MemoryLog({"two": TopicSettings(partitions=2)}, LoopClock(), first_offset=0, session_timeout=60)
    async with log.join("two", "live") as first:
        assert list(await first.poll(1)) == [Assigned(0, 0), Assigned(1, 0)]
        async with log.join("two", "live") as second:
            assert list(await first.poll(1)) == [Revoked(1)]
            assert list(await second.poll(5)) == []
            assert list(await first.poll(0)) == []
            assert list(await second.poll(5)) == [Assigned(1, 0)]


@pytest.mark.looptime
async def test_appends_that_wait_for_room_keep_their_turn() -> None:
    log = small(retention_bytes=2500)
    async with log.join("one", "live") as member:
        waiting = [asyncio.create_task(log.append("one", Record("k", bytes(1000 - n)))) for n in range(12)]
        await asyncio.sleep(1)
        waiting[5].cancel()
        entries: list[Entry] = []
        while len(entries) < 11:
            entries += await gather_entries(member, 1)
            await member.commit(0, entries[-1].offset + 1)
        await asyncio.gather(*waiting, return_exceptions=True)
    assert waiting[5].cancelled()
    assert [len(entry.record.value) for entry in entries] == [1000 - n for n in range(12) if n != 5]


@pytest.mark.looptime
async def test_a_poll_shares_its_entries_among_partitions() -> None:
    log = MemoryLog({"two": TopicSettings(partitions=2)}, LoopClock(), first_offset=0)
    keys = {log.partition_of("two", key): key for key in "abcdefgh"}
    for _ in range(1000):
        await log.append("two", Record(keys[0], b""))
    await log.append("two", Record(keys[1], b""))
    async with log.join("two", "live") as member:
        happened = await member.poll(1)
    assert {event.partition for event in happened if isinstance(event, Entry)} == {0, 1}
    assert len(happened) <= 502


async def test_a_partition_that_is_not_there_is_named() -> None:
    with pytest.raises(LogError, match="no partition 3"):
        await small().bounds("one", 3)


async def test_a_member_that_left_is_told_to_join_again() -> None:
    async with small().join("one", "live") as member:
        pass
    with pytest.raises(LogError, match="join again"):
        await member.poll(0)


async def test_what_is_erased_is_gone_and_its_offset_stays() -> None:
    log = MemoryLog({"one": TopicSettings()}, LoopClock(), first_offset=0)
    for number in range(4):
        await log.append("one", Record(f"k{number % 2}", b"x" * 1000, {"name": b"value"}))
    partition = log._topic("one")[0]
    before = partition.bytes
    assert await log.erase("one", 0, 3, lambda key: key == "k0") == 0.0
    assert before - partition.bytes == 2 * (1000 + len("name") + len(b"value"))
    found = [entry async for entry in entries_of(log, 4)]
    assert [entry.offset for entry in found] == [0, 1, 2, 3]
    assert [(entry.record.erased, bool(entry.record.value), dict(entry.record.headers)) for entry in found] == [
        (True, False, {}),
        (False, True, {"name": b"value"}),
        (True, False, {}),
        (False, True, {"name": b"value"}),
    ]
    await log.erase("one", 0, 4, lambda key: key == "k1", headers=False)
    assert [dict(entry.record.headers) async for entry in entries_of(log, 4)][1] == {"name": b"value"}
    assert [entry.offset async for entry in entries_between(log, "one", 0, since=0.0, end=4)] == []


async def entries_of(log: MemoryLog, count: int) -> AsyncIterator[Entry]:
    async for entry in log.read("one", 0, 0):
        yield entry
        if entry.offset == count - 1:
            break
