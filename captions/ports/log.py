"""The Log port: a partitioned, ordered log that can be replayed.

Every adapter guarantees: records of one key stay in order; every consumer group gets each record at least once;
offsets only grow; reading can start at any retained offset. While many entries are read, the event loop runs between
them. ``tests/transport/contract.py`` tests these guarantees.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

HOLDING_GROUP = "live"
"""The only consumer group that can block appends. A full log drops nothing that this group has not committed; instead,
``append`` waits. Other groups never block it: a slow or dead group loses the records that are no longer retained."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record to append. ``key`` selects the partition; ``headers`` carry small fields next to ``value``.

    In topics of which only the latest record of each key stays, an empty value lets none stay.

    ``erased`` is set by the log where the record's content was erased. Readers still get it, as they count offsets.
    """

    key: str
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored record. ``timestamp`` is the time of the append, as epoch seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    record: Record


Doomed = Callable[[str], bool]
"""Whether records with this key are to be erased."""


class Bounds(NamedTuple):
    """Offsets of one partition: the first ever, the earliest retained, and the next to be assigned."""

    first: int
    earliest: int
    end: int


class Assigned(NamedTuple):
    """The member now owns ``partition``. Its entries follow from ``offset``, the group's committed offset."""

    partition: int
    offset: int


class Revoked(NamedTuple):
    """The member no longer owns ``partition``. It has to drop state built from it and must not commit it any more."""

    partition: int


class Member(Protocol):
    """One member of a consumer group on one topic."""

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - the timeout is part of a poll, as in Kafka
        """Return changes of ownership and entries of owned partitions, in order.

        Returns as soon as there is an event, or an empty sequence after ``timeout`` seconds. A partition that was
        reported as revoked goes to another member at this member's next poll at the latest.
        """
        ...

    async def commit(self, partition: int, offset: int) -> None:
        """Commit ``offset``: the group has processed everything before it.

        Has no effect if this member no longer owns the partition.
        """
        ...

    def pause(self, partition: int) -> None:
        """Stop returning entries of ``partition`` until it is resumed. The member keeps the partition."""
        ...

    def resume(self, partition: int) -> None:
        """Return entries of ``partition`` again, from where it was paused."""
        ...


class Log(Protocol):
    """Topics, each with partitions of entries. Operations raise ``LogError`` if they fail permanently."""

    @property
    def shared(self) -> bool:
        """Whether other processes share this log, so that they can take over a session or a partition."""
        ...

    def partitions(self, topic: str) -> int:
        """The number of partitions of ``topic``."""
        ...

    def partition_of(self, topic: str, key: str) -> int:
        """The partition for records with ``key``. It is the same in every process."""
        ...

    async def append(self, topic: str, record: Record) -> int:
        """Append a record and return its offset once it is stored durably.

        Waits while the log is full of records that ``HOLDING_GROUP`` has not committed.
        """
        ...

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The current offsets of the partition."""
        ...

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        """The first retained offset appended at ``wall`` (epoch seconds) or later; the end if there is none."""
        ...

    async def erase(
        self, topic: str, partition: int, before: int, doomed: Doomed, *, headers: bool = True
    ) -> float | None:
        """Erase the values, and unless told otherwise the ``headers``, of records before offset ``before``.

        The records are those whose key is ``doomed``. Returns after how many seconds the bytes are gone, as far as the
        log can promise it: 0 if they are gone now, None if it keeps them without a limit.
        """
        ...

    def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        """Yield entries from ``start`` (or the earliest retained offset after it) without end, outside any group."""
        ...

    def join(self, topic: str, group: str) -> AbstractAsyncContextManager[Member]:
        """Join ``group``. Leaving the context leaves the group immediately.

        A group starts at the earliest retained entry if it never committed, or if its commit is older than that.
        """
        ...
