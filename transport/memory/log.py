"""The Log port in this process's memory."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from captions.errors import LogError
from captions.ports.clock import Clock
from captions.ports.log import Bounds, Entry, Member, Record
from transport.memory.group import Group
from transport.memory.partition import Partition, weight
from transport.partitioner import partition_of

READ_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """How one topic is kept: each partition holds at most so many bytes, entries for so many seconds."""

    partitions: int = 1
    retention_bytes: int = 256 * 1024 * 1024
    retention_seconds: float = 3600.0


class MemoryLog:
    """Topics in memory.

    What a group that ever joined has not committed is never dropped: where a partition is full of it, ``append``
    waits. Offsets begin at the wall clock's milliseconds, so that they grow across restarts of the process too.
    ``session_timeout`` in seconds: a member that polls no more is out of its group after it.
    """

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
        return lambda: min((group.committed[number] for group in groups.values()), default=None)

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
        """Append and return the offset; waits where the partition is full of what a group still needs."""
        partition = self._topic(topic)[self.partition_of(topic, record.key)]
        settings = self._settings[topic]
        if weight(record) > settings.retention_bytes:
            raise LogError(f"a record of {len(record.value)} bytes is more than topic {topic!r} may hold")
        while True:
            now = self._clock.wall()
            partition.trim(settings.retention_bytes - weight(record), now - settings.retention_seconds)
            if partition.bytes + weight(record) <= settings.retention_bytes:
                return partition.append(record, now)
            await partition.freed.wait()

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The partition's offsets as they are now."""
        place = self._topic(topic)[partition]
        settings = self._settings[topic]
        place.trim(settings.retention_bytes, self._clock.wall() - settings.retention_seconds)
        return place.bounds

    async def read(self, topic: str, partition: int, start: int) -> AsyncIterator[Entry]:
        """Entries from ``start`` on, for ever."""
        place = self._topic(topic)[partition]
        position = start
        while True:
            appended = place.appended
            entries = place.slice(position, READ_BATCH) if position < place.end else []
            for entry in entries:
                position = entry.offset + 1
                yield entry
            if not entries:
                await appended.wait()

    @asynccontextmanager
    async def join(self, topic: str, group: str) -> AsyncIterator[Member]:
        """Become a member of ``group``."""
        partitions = self._topic(topic)
        groups = self._groups[topic]
        if group not in groups:
            groups[group] = Group(partitions, self._session_timeout)
        member = groups[group].join()
        try:
            yield member
        finally:
            member.leave()
