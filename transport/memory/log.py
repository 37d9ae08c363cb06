"""The Log port in this process's memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from captions.errors import LogError
from captions.ports.clock import Clock
from captions.ports.log import HOLDING_GROUP, Bounds, Entry, Member, Record
from transport.memory.group import Group
from transport.memory.member import MemoryMember
from transport.memory.partition import Partition, weight
from transport.partitioner import partition_of

READ_BATCH = 32
"""Entries handed to a reader before the event loop runs: about 0.05 ms of work each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """How one topic is kept: each partition holds at most so many bytes, entries for so many seconds."""

    partitions: int = 1
    retention_bytes: int = 256 * 1024 * 1024
    retention_seconds: float = 3600.0


class MemoryLog:
    """Topics in memory.

    What group ``live`` has not committed is never dropped once it joined: where a partition is full of it, ``append``
    waits. Other groups hold nothing back.

    Offsets begin at the wall clock's milliseconds, so that they grow across restarts of the process too.
    ``session_timeout`` in seconds: a member that polls no more is out of its group after it.
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
        """How many partitions ``topic`` has."""
        return len(self._topic(topic))

    def partition_of(self, topic: str, key: str) -> int:
        """The partition where records of ``key`` go."""
        return partition_of(key, self.partitions(topic))

    async def append(self, topic: str, record: Record) -> int:
        """Append and return the offset; waits, in turn, where the partition is full of what ``live`` still needs."""
        place = self._place(topic, self.partition_of(topic, record.key))
        settings = self._settings[topic]
        room = settings.retention_bytes - weight(record)
        if room < 0:
            raise LogError(f"a record of {len(record.value)} bytes is more than topic {topic!r} may hold")
        async with place.turn:
            while True:
                place.freed.clear()
                now = self._clock.wall()
                place.trim(room, now - settings.retention_seconds)
                if place.bytes <= room:
                    return place.append(record, now)
                await place.freed.wait()

    def trim(self) -> None:
        """Drop what is no longer retained, also where nothing is appended or read any more."""
        for topic in self._topics:
            for partition in range(self.partitions(topic)):
                self._trimmed(topic, partition)

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The partition's offsets as they are now."""
        return self._trimmed(topic, partition).bounds

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        """The first offset appended at ``wall`` or later; the end where there is none."""
        return self._trimmed(topic, partition).offset_at(wall)

    async def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        """Entries from ``start`` on, for ever."""
        place = self._place(topic, partition)
        appended = asyncio.Event()
        place.watchers.add(appended)
        position = start
        try:
            while True:
                appended.clear()
                self._trimmed(topic, partition)
                entries = place.slice(position, READ_BATCH)
                for entry in entries:
                    position = entry.offset + 1
                    yield entry
                if len(entries) == READ_BATCH:
                    await asyncio.sleep(0)
                elif not entries:
                    await appended.wait()
        finally:
            place.watchers.discard(appended)

    @asynccontextmanager
    async def join(self, topic: str, group: str) -> AsyncIterator[Member]:
        """Become a member of ``group``."""
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
            raise LogError(f"topic {topic!r} has no partition {partition}, only 0 to {len(partitions) - 1}")
        return partitions[partition]

    def _trimmed(self, topic: str, partition: int) -> Partition:
        place, settings = self._place(topic, partition), self._settings[topic]
        place.trim(settings.retention_bytes, self._clock.wall() - settings.retention_seconds)
        return place
