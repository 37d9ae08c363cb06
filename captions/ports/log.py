"""The Log port: partitioned, ordered, replayable.

Every adapter promises: one order per key, at least one delivery to every consumer group, offsets that only
grow, replay from any offset that is retained. A reader of many entries lets the event loop run between them.
``tests/transport/contract.py`` is the promise as tests.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

HOLDING_GROUP = "live"
"""The only consumer group that may hold audio back. A log that is full drops nothing that this group has not committed:
``append`` waits for it. Every other group is passed over: where it is slow or dead it loses what is no longer retained,
and captions go on."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is appended: ``key`` decides the partition, ``headers`` hold small facts beside ``value``."""

    key: str
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place. ``timestamp`` is when it was appended, epoch seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    record: Record


class Bounds(NamedTuple):
    """Offsets of one partition: where it began, the earliest still retained, and the next to be given."""

    first: int
    earliest: int
    end: int


class Assigned(NamedTuple):
    """The member now owns ``partition`` and will be given its entries from ``offset`` (the group's commit)."""

    partition: int
    offset: int


class Revoked(NamedTuple):
    """The member no longer owns ``partition``: drop what was built from it, commit no more."""

    partition: int


class Member(Protocol):
    """One member of a consumer group on one topic."""

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - a poll's bound is part of its meaning, as in Kafka
        """What happened, in order: changes of ownership and entries of owned partitions.

        Returns as soon as there is something, or empty after ``timeout`` seconds. A partition reported as
        revoked is given to another member no later than this member's next poll.
        """
        ...

    async def commit(self, partition: int, offset: int) -> None:
        """The group has dealt with everything before ``offset``.

        A commit on a partition that this member no longer owns has no effect.
        """
        ...

    def pause(self, partition: int) -> None:
        """Give no entries of ``partition`` until it is resumed; membership goes on."""
        ...

    def resume(self, partition: int) -> None:
        """Give entries of ``partition`` again, from where it was paused."""
        ...


class Log(Protocol):
    """The spine: topics of partitions of entries. Raises ``LogError`` where an operation fails for good."""

    @property
    def shared(self) -> bool:
        """Whether other processes have it too: what one leaves another can go on with."""
        ...

    def partitions(self, topic: str) -> int:
        """How many partitions ``topic`` has."""
        ...

    def partition_of(self, topic: str, key: str) -> int:
        """The partition where records of ``key`` go; the same in every process."""
        ...

    async def append(self, topic: str, record: Record) -> int:
        """Append and return the offset, once the log has it for good.

        Waits where the log is full of what ``HOLDING_GROUP`` has not committed.
        """
        ...

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The partition's offsets as they are now."""
        ...

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        """The first offset retained that was appended at ``wall`` (epoch seconds) or later; the end where none was."""
        ...

    def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        """Entries from offset ``start`` (or the earliest retained after it) on, for ever, outside any group."""
        ...

    def join(self, topic: str, group: str) -> AbstractAsyncContextManager[Member]:
        """Become a member of ``group``; leaving the context leaves the group at once.

        A group that never committed starts at the earliest entry retained; so does one whose commit is older than that.
        """
        ...
