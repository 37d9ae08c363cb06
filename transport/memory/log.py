"""The Log port in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from captions.errors import LogError
from captions.ports.clock import Clock
from captions.ports.log import HOLDING_GROUP, Bounds, Doomed, Entry, Member, Record
from transport.memory.group import Group
from transport.memory.member import MemoryMember
from transport.memory.partition import Partition, weight
from transport.partitioner import partition_of

READ_BATCH = 32
"""Entries given to a reader before the event loop runs. Each is about 0.05 ms of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """The size and retention of one topic. ``retention_bytes`` is per partition."""

    partitions: int = 1
    retention_bytes: int = 256 * 1024 * 1024
    retention_seconds: float = 3600.0


class MemoryLog:
    """Topics in memory.

    Once group ``live`` has joined a topic, records that it has not committed are never dropped: ``append`` waits while
    a partition is full of them. Other groups never block appends.

    Offsets begin at the wall clock's milliseconds, so that they also grow across restarts of the process. A member that
    has not polled for ``session_timeout`` seconds is removed from its group.
    """

    shared = False

    def __init__(
        self, topics: Mapping[str, TopicSettings], clock: Clock, *, first_offset: int | None = None,
        session_timeout: float = 10.0,
    ) -> None:  # fmt: skip
        first = round(clock.wall() * 1000) if first_offset is None else first_offset
        self._clock = clock
        self._session_timeout = session_timeout
        self._settings = dict(topics)
        self._groups: dict[str, dict[str, Group]] = {topic: {} for topic in topics}
        self._topics = {
            topic: [Partition(topic, n, first, self._held(topic, n)) for n in range(settings.partitions)]
            for topic, settings in topics.items()
        }

    def _held(self, topic: str, number: int) -> Callable[[], int | None]:
        groups = self._groups[topic]
        return lambda: groups[HOLDING_GROUP].committed[number] if HOLDING_GROUP in groups else None

    def _topic(self, topic: str) -> list[Partition]:
        try:
            return self._topics[topic]
        except KeyError:
            raise LogError(f"there is no topic {topic!r}; there are {', '.join(self._topics)}") from None

    def partitions(self, topic: str) -> int:
        """The number of partitions of ``topic``."""
        return len(self._topic(topic))

    def partition_of(self, topic: str, key: str) -> int:
        """The partition for records with ``key``."""
        return partition_of(key, self.partitions(topic))

    async def append(self, topic: str, record: Record) -> int:
        """Append and return the offset. Waits, in order, while the partition is full of uncommitted records."""
        place = self._place(topic, self.partition_of(topic, record.key))
        settings = self._settings[topic]
        room = settings.retention_bytes - weight(record)
        if room < 0:
            raise LogError(f"a record of {len(record.value)} bytes exceeds the capacity of topic {topic!r}")
        async with place.turn:
            while True:
                place.freed.clear()
                now = self._clock.wall()
                place.trim(room, now - settings.retention_seconds)
                if place.bytes <= room:
                    return place.append(record, now)
                await place.freed.wait()

    def trim(self) -> None:
        """Drop the entries that are no longer retained, also in topics that are not used any more."""
        for topic in self._topics:
            for partition in range(self.partitions(topic)):
                self._trimmed(topic, partition)

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The current offsets of the partition."""
        return self._trimmed(topic, partition).bounds

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        """The first offset appended at ``wall`` (epoch seconds) or later; the end if there is none."""
        return self._trimmed(topic, partition).offset_at(wall)

    async def erase(
        self, topic: str, partition: int, before: int, doomed: Doomed, *, headers: bool = True
    ) -> float | None:
        """Erase records before offset ``before`` whose key is ``doomed``. Their bytes are gone when it returns."""
        self._place(topic, partition).erase(before, doomed, headers=headers)
        return 0.0

    async def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        """Yield entries from ``start`` without end."""
        place = self._place(topic, partition)
        appended = asyncio.Event()
        place.watchers.add(appended)
        position = start
        try:
            while True:
                appended.clear()
                self._trimmed(topic, partition)
                entries = place.slice(position, READ_BATCH)
                full, any_read = len(entries) == READ_BATCH, bool(entries)
                while entries:  # a reader that waits holds no entry: it may be erased
                    position = entries[0].offset + 1
                    yield entries.pop(0)
                if full:
                    await asyncio.sleep(0)
                elif not any_read:
                    await appended.wait()
        finally:
            place.watchers.discard(appended)

    @asynccontextmanager
    async def join(self, topic: str, group: str) -> AsyncIterator[Member]:
        """Join ``group``."""
        partitions = [self._trimmed(topic, partition.number) for partition in self._topic(topic)]
        groups = self._groups[topic]
        if group not in groups:
            groups[group] = Group(partitions, self._session_timeout)
        member = MemoryMember(groups[group])
        try:
            yield member
        finally:
            member.leave()

    def _place(self, topic: str, partition: int) -> Partition:
        partitions = self._topic(topic)
        if not 0 <= partition < len(partitions):
            raise LogError(f"topic {topic!r} has no partition {partition}; it has 0 to {len(partitions) - 1}")
        return partitions[partition]

    def _trimmed(self, topic: str, partition: int) -> Partition:
        place, settings = self._place(topic, partition), self._settings[topic]
        place.trim(settings.retention_bytes, self._clock.wall() - settings.retention_seconds)
        return place
