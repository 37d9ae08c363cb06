"""Consumer groups: their members, partition owners and committed offsets."""

from collections.abc import Sequence

from transport.memory.member import MemoryMember
from transport.memory.partition import Partition


class Group:
    """One group on one topic. A member that has not polled for ``session_timeout`` seconds is removed."""

    def __init__(self, partitions: Sequence[Partition], session_timeout: float) -> None:
        self.partitions = partitions
        self.session_timeout = session_timeout
        self.committed = {p.number: p.earliest for p in partitions}
        self._members: list[MemoryMember] = []
        self._owners: dict[int, MemoryMember] = {}

    def join(self, member: MemoryMember) -> None:
        """Add a member. It receives partitions as the other members give them up."""
        self._members.append(member)
        self._balance()

    def leave(self, member: MemoryMember) -> None:
        """Remove a member. Its partitions are free immediately."""
        if member in self._members:
            self._members.remove(member)
            for number in [n for n, owner in self._owners.items() if owner is member]:
                del self._owners[number]
            self._balance()

    def owns(self, member: MemoryMember, partition: int) -> bool:
        """Whether ``member`` owns the partition."""
        return self._owners.get(partition) is member

    def commit(self, partition: int, offset: int) -> None:
        """Store the group's committed offset. It never goes back."""
        if offset > self.committed[partition]:
            self.committed[partition] = offset
            self.partitions[partition].freed.set()

    def give_up(self, member: MemoryMember, partition: int) -> None:
        """Free a revoked partition. Its owner calls this at its next poll."""
        if self.owns(member, partition):
            del self._owners[partition]
            self._balance()

    def _balance(self) -> None:
        """Revoke partitions from members that own too many, and assign the free ones."""
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
