"""A member of a consumer group in memory: its partitions, its positions and its session timeout."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from captions.errors import LogError
from captions.ports.log import Assigned, Entry, Revoked
from transport.memory.partition import Partition

MAX_ENTRIES = 500
"""The most entries that one poll returns, roughly."""


class Membership(Protocol):
    """The group, as its members use it."""

    partitions: Sequence[Partition]
    session_timeout: float

    def join(self, member: "MemoryMember") -> None:
        """Add the member."""
        ...

    def leave(self, member: "MemoryMember") -> None:
        """Remove the member and free its partitions."""
        ...

    def owns(self, member: "MemoryMember", partition: int) -> bool:
        """Whether the member owns the partition."""
        ...

    def commit(self, partition: int, offset: int) -> None:
        """Store the group's committed offset."""
        ...

    def give_up(self, member: "MemoryMember", partition: int) -> None:
        """Free a revoked partition, now that its owner knows about it."""
        ...


class MemoryMember:
    """The Member port in memory.

    A member that does not poll within the session timeout is removed from the group. Its next poll reports its
    partitions as ``Revoked`` and joins the group again.
    """

    def __init__(self, group: Membership) -> None:
        self._group = group
        self._events: list[Assigned | Revoked] = []
        self._positions: dict[int, int] = {}
        self._reported_assigned: set[int] = set()
        self._reported_revoked: set[int] = set()
        self._paused: set[int] = set()
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._polling = 0
        self._seen = self._loop.time()
        self._evicted = self._left = False
        self._timer = self._loop.call_later(group.session_timeout, self._check)
        group.join(self)

    def assign(self, partition: int, offset: int) -> None:
        """Called by the group: this member now owns ``partition``."""
        self._positions[partition] = offset
        self._group.partitions[partition].watchers.add(self._changed)
        self._events.append(Assigned(partition, offset))
        self._changed.set()

    def revoke(self, partition: int) -> None:
        """Called by the group: this member has to give up ``partition``."""
        if partition in self._positions:
            self._drop(partition)
            self._events.append(Revoked(partition))
            self._changed.set()

    def pause(self, partition: int) -> None:
        """Stop returning entries of ``partition`` until it is resumed."""
        self._paused.add(partition)

    def resume(self, partition: int) -> None:
        """Return entries of ``partition`` again."""
        self._paused.discard(partition)
        self._changed.set()

    async def commit(self, partition: int, offset: int) -> None:
        """Commit ``offset`` if this member owns the partition. Like a poll, it shows that the member is alive."""
        self._seen = self._loop.time()
        if self._group.owns(self, partition) and partition not in self._reported_revoked:
            self._group.commit(partition, offset)

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - as the port has it
        """Return changes of ownership and entries, in order."""
        if self._left:
            raise LogError("this member has left its group and has to join again")
        self._polling += 1
        try:
            self._give_up()
            if self._evicted:
                self._evicted = False
                self._group.join(self)
            deadline = self._loop.time() + timeout
            while not (happened := self._take()):
                left = deadline - self._loop.time()
                if left < 0.001:  # the clock's resolution: a shorter wait might not end
                    break
                try:
                    async with asyncio.timeout(left):
                        await self._changed.wait()
                except TimeoutError:
                    break
            return happened
        finally:
            self._polling -= 1
            self._seen = self._loop.time()

    def leave(self) -> None:
        """Leave the group immediately."""
        self._left = True
        self._timer.cancel()
        self._withdraw()

    def _take(self) -> list[Assigned | Revoked | Entry]:
        """The events and entries that are available now. Each is returned once."""
        self._changed.clear()
        happened: list[Assigned | Revoked | Entry] = [*self._events]
        for event in self._events:
            if isinstance(event, Assigned):
                self._reported_assigned.add(event.partition)
                self._reported_revoked.discard(event.partition)  # lost and regained while this member was out
            else:
                self._reported_assigned.discard(event.partition)
                self._reported_revoked.add(event.partition)
        self._events.clear()
        open_positions = [n for n in self._positions if n not in self._paused]
        for number in open_positions:
            entries = self._group.partitions[number].slice(
                self._positions[number], max(1, MAX_ENTRIES // len(open_positions))
            )
            if entries:
                self._positions[number] = entries[-1].offset + 1
                happened += entries
        return happened

    def _give_up(self) -> None:
        revoked, self._reported_revoked = self._reported_revoked, set()
        for partition in revoked:
            self._group.give_up(self, partition)

    def _drop(self, partition: int) -> None:
        del self._positions[partition]
        self._paused.discard(partition)
        self._group.partitions[partition].watchers.discard(self._changed)

    def _check(self) -> None:
        """Remove the member from the group if it has not polled within the session timeout."""
        idle = 0.0 if self._polling else self._loop.time() - self._seen
        left = self._group.session_timeout - idle
        if left < 0.001:
            self._evict()
            left = self._group.session_timeout
        self._timer = self._loop.call_later(left, self._check)

    def _evict(self) -> None:
        if not self._evicted:
            self._evicted = True
            self._withdraw()
            self._events = [Revoked(partition) for partition in sorted(self._reported_assigned)]
            self._reported_revoked = set()

    def _withdraw(self) -> None:
        for partition in list(self._positions):
            self._drop(partition)
        self._group.leave(self)
