"""A log's failures reach the probe and the caller; what works is as the log's contract has it."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from captions.errors import LogError
from captions.ports.log import Assigned, Bounds, Entry, Log, Member, Record, Revoked
from captions.ports.probe import Probe
from monitoring.observed_log import ObservedLog
from tests.support import LoopClock
from tests.transport.contract import LogContract
from transport.memory import MemoryLog, TopicSettings


class Counting(Probe):
    def __init__(self) -> None:
        self.failed: list[str] = []

    def log_failed(self, operation: str) -> None:
        self.failed.append(operation)


@pytest.fixture
def probe() -> Counting:
    return Counting()


class TestObservedLog(LogContract):
    @pytest.fixture
    async def log(self, probe: Counting) -> ObservedLog:
        topics = {
            "one": TopicSettings(),
            "four": TopicSettings(partitions=4),
            "full": TopicSettings(retention_bytes=5000),
        }
        return ObservedLog(MemoryLog(topics, LoopClock()), probe)


class BrokenMember:
    """A member that can do nothing."""

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - as the port has it
        raise LogError(f"nothing came within {timeout} s")

    async def commit(self, partition: int, offset: int) -> None:
        raise LogError(f"{offset} is not committed on {partition}")

    def pause(self, partition: int) -> None:
        """Nothing to pause."""

    def resume(self, partition: int) -> None:
        """Nothing to resume."""


class BrokenLog:
    """A log that can do nothing; ``joinable``: but take members in."""

    shared = False

    def __init__(self, *, joinable: bool = True) -> None:
        self._joinable = joinable

    def partitions(self, topic: str) -> int:
        return len(topic)

    def partition_of(self, topic: str, key: str) -> int:
        return len(topic) + len(key)

    async def append(self, topic: str, record: Record) -> int:
        raise LogError(f"{topic} takes no {record.key}")

    async def bounds(self, topic: str, partition: int) -> Bounds:
        raise LogError(f"{topic} {partition} has no bounds")

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        raise LogError(f"{topic} {partition} has nothing at {wall}")

    async def erase(self, topic: str, partition: int, before: int, *_: object, **__: object) -> float | None:
        raise LogError(f"{topic} {partition} erases nothing before {before}")

    async def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        held: list[Entry] = []
        for entry in held:
            yield entry
        raise LogError(f"{topic} {partition} has nothing from {start}")

    @asynccontextmanager
    async def join(self, topic: str, group: str) -> AsyncIterator[Member]:
        if not self._joinable:
            raise LogError(f"{group} takes nobody in on {topic}")
        yield BrokenMember()


async def polls(log: Log) -> None:
    async with log.join("one", "live") as member:
        await member.poll(1.0)


async def commits(log: Log) -> None:
    async with log.join("one", "live") as member:
        await member.commit(0, 7)


@pytest.mark.parametrize(
    ("do", "operation"),
    [
        (lambda log: log.append("one", Record("k", b"")), "append"),
        (lambda log: log.bounds("one", 0), "read"),
        (lambda log: log.offset_at("one", 0, 1.0), "read"),
        (lambda log: log.erase("one", 0, 9, bool), "append"),
        (lambda log: anext(log.read("one", 0, 0)), "read"),
        (polls, "read"),
        (commits, "commit"),
    ],
)
async def test_a_failure_is_told_once_and_raised(
    do: Callable[[Log], Awaitable[object]], operation: str, probe: Counting
) -> None:
    with pytest.raises(LogError):
        await do(ObservedLog(BrokenLog(), probe))
    assert probe.failed == [operation]


async def test_a_group_that_cannot_be_joined_is_a_failed_read(probe: Counting) -> None:
    with pytest.raises(LogError):
        await polls(ObservedLog(BrokenLog(joinable=False), probe))
    assert probe.failed == ["read"]
