"""What every Log promises, as tests: a subclass provides the fixture ``log`` with topics ``one``, ``four``, ``full``.

``one`` has a single partition, ``four`` has four; ``full`` is like ``one``, and
retains 5,000 bytes where a log can. Nothing here knows how the log is made, nor how quick it is.
"""

import asyncio
from collections.abc import Callable

import pytest

from captions.errors import LogError
from captions.log_reading import consume, entries_between
from captions.ports.log import Assigned, Entry, Log, Member, Record, Revoked
from tests.support import LoopClock

TIMEOUT = 30.0


async def gather_entries(member: Member, count: int) -> list[Entry]:
    """Poll until ``count`` entries came."""
    entries: list[Entry] = []
    async with asyncio.timeout(TIMEOUT):
        while len(entries) < count:
            entries += [event for event in await member.poll(0.2) if isinstance(event, Entry)]
    return entries


async def poll_until(
    member: Member, wanted: Callable[[Assigned | Revoked | Entry], bool]
) -> Assigned | Revoked | Entry:
    """Poll until an event is as wanted."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            for event in await member.poll(0.2):
                if wanted(event):
                    return event


async def values(log: Log, topic: str, partition: int, start: int, count: int) -> list[bytes]:
    found: list[bytes] = []
    async with asyncio.timeout(TIMEOUT):
        async for entry in log.read(topic, partition, start):
            found.append(entry.record.value)
            if len(found) == count:
                break
    return found


def numbered(count: int, key: str = "k") -> list[Record]:
    return [Record(key, str(number).encode()) for number in range(count)]


class LogContract:
    async def test_offsets_grow_and_bounds_follow(self, log: Log) -> None:
        before = await log.bounds("one", 0)
        assert before.first <= before.earliest <= before.end
        offsets = [await log.append("one", record) for record in numbered(5)]
        assert offsets == sorted(set(offsets))
        assert offsets[0] >= before.end
        after = await log.bounds("one", 0)
        assert after.end == offsets[-1] + 1
        assert after.first == before.first

    async def test_a_key_has_one_partition_and_one_order(self, log: Log) -> None:
        assert log.partitions("four") == 4
        for number in range(40):
            await log.append("four", Record(f"room-{number % 4}", str(number).encode()))
        for key in range(4):
            partition = log.partition_of("four", f"room-{key}")
            start = (await log.bounds("four", partition)).earliest
            end = (await log.bounds("four", partition)).end
            seen = await values(log, "four", partition, start, end - start)
            mine = [int(value) for value in seen if int(value) % 4 == key]
            assert mine == sorted(mine)
            assert len(mine) == 10

    @pytest.mark.parametrize(
        ("key", "partition"), [("main-hall/main", 0), ("a", 0), ("room", 2), ("", 1), ("größe/ton", 1)]
    )
    def test_every_log_gives_a_key_the_same_partition(self, log: Log, key: str, partition: int) -> None:
        assert log.partition_of("four", key) == partition
        assert log.partition_of("one", key) == 0

    async def test_records_survive_whole(self, log: Log) -> None:
        sent = [
            Record("größe/ton", b"\x00\xff", {"utterance": b"7", "leer": b"", "ü": "ä".encode()}),
            Record("k", b""),
            Record("k", bytes(range(256)) * 2048),
        ]
        start = (await log.bounds("one", 0)).end
        for record in sent:
            await log.append("one", record)
        got = []
        async with asyncio.timeout(TIMEOUT):
            async for entry in log.read("one", 0, start):
                got.append(entry)
                if len(got) == len(sent):
                    break
        assert [(e.record.key, e.record.value, dict(e.record.headers)) for e in got] == [
            (r.key, r.value, dict(r.headers)) for r in sent
        ]
        assert [(e.topic, e.partition) for e in got] == [("one", 0)] * 3
        assert got[0].timestamp <= got[-1].timestamp

    async def test_reading_begins_anywhere_and_goes_on_live(self, log: Log) -> None:
        offsets = [await log.append("one", record) for record in numbered(4)]
        assert await values(log, "one", 0, offsets[2], 2) == [b"2", b"3"]
        waiting = asyncio.create_task(values(log, "one", 0, offsets[-1] + 1, 1))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await log.append("one", Record("k", b"live"))
        assert await waiting == [b"live"]

    async def test_an_offset_is_found_by_its_time(self, log: Log) -> None:
        assert await log.offset_at("one", 0, 0.0) == (await log.bounds("one", 0)).end
        offsets = []
        for record in numbered(4):
            offsets.append(await log.append("one", record))
            await asyncio.sleep(0.05)
        entries = []
        async with asyncio.timeout(TIMEOUT):
            async for entry in log.read("one", 0, offsets[0]):
                entries.append(entry)
                if len(entries) == len(offsets):
                    break
        for entry in entries:
            assert await log.offset_at("one", 0, entry.timestamp) == entry.offset
        assert await log.offset_at("one", 0, 0.0) == offsets[0]
        assert await log.offset_at("one", 0, entries[-1].timestamp + 10) == offsets[-1] + 1

    async def test_two_groups_each_get_everything(self, log: Log) -> None:
        for record in numbered(10):
            await log.append("one", record)
        for group in ("live", "archive"):
            async with log.join("one", group) as member:
                entries = await gather_entries(member, 10)
            assert [entry.record.value for entry in entries] == [record.value for record in numbered(10)]

    async def test_a_member_is_told_what_it_owns_before_it_gets_entries(self, log: Log) -> None:
        await log.append("one", Record("k", b"0"))
        async with log.join("one", "live") as member:
            event = await poll_until(member, lambda _: True)
            assert isinstance(event, Assigned)
            assert event.offset == (await log.bounds("one", 0)).earliest

    async def test_a_group_goes_on_where_it_committed(self, log: Log) -> None:
        offsets = [await log.append("one", record) for record in numbered(6)]
        async with log.join("one", "live") as member:
            await gather_entries(member, 6)
            await member.commit(0, offsets[3])
        async with log.join("one", "live") as member:
            again = await gather_entries(member, 3)
        assert [entry.offset for entry in again] == offsets[3:]

    async def test_what_was_not_committed_comes_again(self, log: Log) -> None:
        for record in numbered(3):
            await log.append("one", record)
        for _ in range(2):
            async with log.join("one", "live") as member:
                assert len(await gather_entries(member, 3)) == 3

    async def test_members_share_partitions_and_the_rest_takes_over(self, log: Log) -> None:
        keys = {log.partition_of("four", f"k{n}"): f"k{n}" for n in range(40)}
        assert len(keys) == 4
        owned: dict[str, set[int]] = {"a": set(), "b": set()}

        async def follow(name: str, member: Member, until: Callable[[], bool]) -> None:
            async with asyncio.timeout(TIMEOUT):
                while not until():
                    for event in await member.poll(0.1):
                        if isinstance(event, Assigned):
                            owned[name].add(event.partition)
                        elif isinstance(event, Revoked):
                            owned[name].discard(event.partition)

        def shared() -> bool:  # a revocation may be heard after the other's assignment
            disjoint = not owned["a"] & owned["b"]
            return disjoint and owned["a"] | owned["b"] == set(range(4)) and bool(owned["a"]) and bool(owned["b"])

        async with log.join("four", "live") as first:
            async with log.join("four", "live") as second:
                await asyncio.gather(follow("a", first, shared), follow("b", second, shared))
            await follow("a", first, lambda: owned["a"] == set(range(4)))
            for key in keys.values():
                await log.append("four", Record(key, b"x"))
            assert {entry.partition for entry in await gather_entries(first, 4)} == set(range(4))

    async def test_a_commit_on_a_partition_that_went_elsewhere_has_no_effect(self, log: Log) -> None:
        offset = await log.append("one", Record("k", b"0"))
        async with log.join("one", "live") as member:
            await gather_entries(member, 1)
        await member.commit(0, offset + 1)
        async with log.join("one", "live") as other:
            assert [entry.offset for entry in await gather_entries(other, 1)] == [offset]

    async def test_a_commit_after_a_partition_was_revoked_has_no_effect(self, log: Log) -> None:
        keys = {log.partition_of("four", f"k{n}"): f"k{n}" for n in range(40)}
        offsets = {partition: await log.append("four", Record(key, b"x")) for partition, key in keys.items()}
        async with log.join("four", "live") as first:
            await gather_entries(first, 4)
            lost: set[int] = set()
            async with log.join("four", "live") as second, asyncio.timeout(TIMEOUT):
                taken: set[int] = set()
                while not taken or not taken <= lost:
                    lost |= {event.partition for event in await first.poll(0.1) if isinstance(event, Revoked)}
                    for event in await second.poll(0.1):
                        if isinstance(event, Assigned):
                            assert event.offset == offsets[event.partition]
                            taken.add(event.partition)
                for partition in taken:
                    await first.commit(partition, offsets[partition] + 1)
            partition = min(taken)
            again = await poll_until(first, lambda e: isinstance(e, Assigned) and e.partition == partition)
            assert again == Assigned(partition, offsets[partition])

    async def test_a_paused_partition_waits_and_loses_nothing(self, log: Log) -> None:
        async with log.join("one", "live") as member:
            await poll_until(member, lambda event: isinstance(event, Assigned))
            member.pause(0)
            for record in numbered(3):
                await log.append("one", record)
            assert not [event for event in await member.poll(0.3) if isinstance(event, Entry)]
            member.resume(0)
            entries = await gather_entries(member, 3)
        assert [entry.record.value for entry in entries] == [b"0", b"1", b"2"]

    async def test_a_poll_that_is_given_up_loses_nothing(self, log: Log) -> None:
        async with log.join("one", "live") as member:
            await poll_until(member, lambda event: isinstance(event, Assigned))
            entries: list[Entry] = []
            for number in range(20):
                polling = asyncio.create_task(member.poll(5.0))
                await asyncio.sleep(0)
                polling.cancel()
                (result,) = await asyncio.gather(polling, return_exceptions=True)
                if not isinstance(result, BaseException):
                    entries += [event for event in result if isinstance(event, Entry)]
                await log.append("one", Record("k", str(number).encode()))
            entries += await gather_entries(member, 20 - len(entries))
        assert [entry.record.value for entry in entries] == [str(number).encode() for number in range(20)]

    async def test_an_idle_poll_comes_back_empty(self, log: Log) -> None:
        async with log.join("one", "live") as member:
            await poll_until(member, lambda event: isinstance(event, Assigned))
            assert list(await member.poll(0.05)) == []

    async def test_many_writers_lose_nothing(self, log: Log) -> None:
        async def write(writer: int) -> None:
            for number in range(50):
                await log.append("four", Record(f"w{writer}", f"{writer}/{number}".encode()))

        await asyncio.gather(*(write(writer) for writer in range(8)))
        async with log.join("four", "live") as member:
            entries = await gather_entries(member, 400)
        for writer in range(8):
            mine = [e.record.value for e in entries if e.record.key == f"w{writer}"]
            assert mine == [f"{writer}/{number}".encode() for number in range(50)]

    async def test_entries_between_two_places_end(self, log: Log) -> None:
        offsets = [await log.append("one", record) for record in numbered(100)]
        async with asyncio.timeout(TIMEOUT):
            everything = [entry.offset async for entry in entries_between(log, "one", 0, since=0.0)]
            first = [entry.offset async for entry in entries_between(log, "one", 0, since=0.0, end=offsets[40])]
            nothing = [entry async for entry in entries_between(log, "one", 0, since=1e11)]
        assert everything == offsets
        assert first == offsets[:40]
        assert nothing == []

    async def test_a_reader_of_much_lets_others_run(self, log: Log) -> None:
        for record in numbered(400):
            await log.append("one", record)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        start = (await log.bounds("one", 0)).earliest
        running = asyncio.create_task(others())
        await values(log, "one", 0, start, 400)
        running.cancel()
        assert turns >= 10

    async def test_a_group_handles_everything_once_it_is_there(self, log: Log) -> None:
        handled: list[bytes] = []
        all_handled = asyncio.Event()

        async def handle(entry: Entry) -> None:
            handled.append(entry.record.value)
            if len(handled) == 60:
                all_handled.set()

        for record in numbered(30):
            await log.append("four", Record(f"k{record.value.decode()}", record.value))
        consuming = asyncio.create_task(consume(log, "four", "archive", handle, LoopClock()))
        for number in range(30, 60):
            await log.append("four", Record(f"k{number}", str(number).encode()))
        async with asyncio.timeout(TIMEOUT):
            await all_handled.wait()
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
        assert sorted(handled, key=int) == [str(number).encode() for number in range(60)]

    async def test_a_group_goes_on_with_the_entry_that_failed(self, log: Log) -> None:
        handled: list[bytes] = []
        failing = True

        async def handle(entry: Entry) -> None:
            if failing and entry.record.value == b"3":
                raise ValueError("no room")
            handled.append(entry.record.value)
            if entry.record.value == b"5":
                raise TimeoutError

        for record in numbered(6):
            await log.append("one", record)
        with pytest.raises(ValueError, match="no room"):
            async with asyncio.timeout(TIMEOUT):
                await consume(log, "one", "archive", handle, LoopClock())
        failing = False
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await consume(log, "one", "archive", handle, LoopClock())
        assert handled == [b"0", b"1", b"2", b"3", b"4", b"5"]

    async def test_a_group_that_never_commits_holds_no_append_back(self, log: Log) -> None:
        """A dead archive must not stop captions; ``full`` retains a few records only."""
        async with log.join("full", "archive") as member:
            await poll_until(member, lambda event: isinstance(event, Assigned))
            async with asyncio.timeout(TIMEOUT):
                offsets = [await log.append("full", Record("k", bytes(1000))) for _ in range(100)]
            entries = await gather_entries(member, 1)
        assert offsets[-1] - offsets[0] == 99
        assert entries[0].offset >= (await log.bounds("full", 0)).earliest

    async def test_an_unknown_topic_is_named(self, log: Log) -> None:
        with pytest.raises(LogError, match="nowhere"):
            await log.append("nowhere", Record("k", b""))
