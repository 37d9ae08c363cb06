"""Consumer groups: which member owns which partition, and how far the group has come."""

import asyncio
from collections.abc import Sequence

from captions.ports.log import Assigned, Entry, Revoked
from transport.memory.partition import Partition

MOST_ENTRIES = 500
"""Entries handed out by one poll."""


class Group:
    """One group on one topic."""

    def __init__(self, partitions: Sequence[Partition], session_timeout: float) -> None:
        self.partitions = partitions
        self.session_timeout = session_timeout
        self.committed = {p.number: p.earliest for p in partitions}
        self._members: list[MemoryMember] = []
        self._owners: dict[int, MemoryMember] = {}

    def join(self) -> "MemoryMember":
        """A new member; partitions come to it as the others give them up."""
        member = MemoryMember(self)
        self._members.append(member)
        self.balance()
        return member

    def leave(self, member: "MemoryMember") -> None:
        """The member is gone, its partitions are free at once."""
        if member in self._members:
            self._members.remove(member)
            for number in [n for n, owner in self._owners.items() if owner is member]:
                del self._owners[number]
            self.balance()

    def owns(self, member: "MemoryMember", partition: int) -> bool:
        """Whether the partition is this member's."""
        return self._owners.get(partition) is member

    def commit(self, partition: int, offset: int) -> None:
        """The group has dealt with everything before ``offset``."""
        if offset > self.committed[partition]:
            self.committed[partition] = offset
            self.partitions[partition].free()

    def balance(self) -> None:
        """Ask owners of too much to give up, and hand out what is free."""
        if not self._members:
            return
        for partition in self.partitions:
            target = self._members[partition.number % len(self._members)]
            owner = self._owners.get(partition.number)
            if owner is target:
                continue
            if owner is None:
                self._owners[partition.number] = target
                target.assign(partition.number, self.committed[partition.number])
            else:
                owner.revoke(partition.number)

    def given_up(self, member: "MemoryMember", partition: int) -> None:
        """A revoked partition's owner has polled since: it is free."""
        if self.owns(member, partition):
            del self._owners[partition]
            self.balance()


class MemoryMember:
    """The Member port on a group in memory."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._events: list[Assigned | Revoked] = []
        self._positions: dict[int, int] = {}
        self._revoking: set[int] = set()
        self._told_revoked: set[int] = set()
        self._paused: set[int] = set()
        self._changed = asyncio.Event()
        self._eviction: asyncio.TimerHandle | None = None
        self._polling = False
        self._watch()

    def assign(self, partition: int, offset: int) -> None:
        """The group gives this member a partition."""
        self._positions[partition] = offset
        self._events.append(Assigned(partition, offset))
        self._changed.set()

    def revoke(self, partition: int) -> None:
        """The group wants a partition back."""
        if partition in self._revoking:
            return
        self._revoking.add(partition)
        self._positions.pop(partition, None)
        self._events.append(Revoked(partition))
        self._changed.set()

    def pause(self, partition: int) -> None:
        """Give no entries of ``partition`` until it is resumed."""
        self._paused.add(partition)

    def resume(self, partition: int) -> None:
        """Give entries of ``partition`` again."""
        self._paused.discard(partition)
        self._changed.set()

    async def commit(self, partition: int, offset: int) -> None:
        """Commit, if the partition is still this member's."""
        if self._group.owns(self, partition) and partition not in self._revoking:
            self._group.commit(partition, offset)

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - as the port has it
        """What happened, in order."""
        self._watch()
        self._polling = True
        try:
            self._give_up()
            deadline = asyncio.get_running_loop().time() + timeout
            while True:
                waits = [p.appended for p in self._readable()]
                self._changed.clear()
                if happened := self._take():
                    return happened
                left = deadline - asyncio.get_running_loop().time()
                if left < 0.001:  # a clock's finest step: less may never pass
                    return []
                await _any_of([*waits, self._changed], left)
        finally:
            self._polling = False
            self._watch()

    def _readable(self) -> list[Partition]:
        return [self._group.partitions[n] for n in self._positions if n not in self._paused]

    def _take(self) -> list[Assigned | Revoked | Entry]:
        happened: list[Assigned | Revoked | Entry] = [*self._events]
        self._told_revoked |= {event.partition for event in self._events if isinstance(event, Revoked)}
        self._events.clear()
        readable = self._readable()
        for partition in readable:
            entries = partition.slice(self._positions[partition.number], max(1, MOST_ENTRIES // len(readable)))
            if entries:
                self._positions[partition.number] = entries[-1].offset + 1
                happened += entries
        return happened

    def _give_up(self) -> None:
        for partition in list(self._told_revoked):
            self._told_revoked.discard(partition)
            self._revoking.discard(partition)
            self._group.given_up(self, partition)

    def _watch(self) -> None:
        """Leave the group where nobody polls for longer than the session timeout."""
        if self._eviction is not None:
            self._eviction.cancel()
        self._eviction = asyncio.get_running_loop().call_later(self._group.session_timeout, self._evict)

    def _evict(self) -> None:
        if self._polling:
            self._watch()
        else:
            self.leave()

    def leave(self) -> None:
        """Leave the group at once."""
        if self._eviction is not None:
            self._eviction.cancel()
        self._positions.clear()
        self._group.leave(self)


async def _any_of(events: Sequence[asyncio.Event], timeout: float) -> None:  # noqa: ASYNC109 - a bound on the wait, not on the work
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
