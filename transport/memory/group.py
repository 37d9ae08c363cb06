"""Consumer groups: which member owns which partition, and how far the group has come."""

from collections.abc import Sequence

from transport.memory.member import MemoryMember
from transport.memory.partition import Partition


class Group:
    """One group on one topic. ``session_timeout`` in seconds: who has not polled for so long is out."""

    def __init__(self, partitions: Sequence[Partition], session_timeout: float) -> None:
        self.partitions = partitions
        self.session_timeout = session_timeout
        self.committed = {p.number: p.earliest for p in partitions}
        self._members: list[MemoryMember] = []
        self._owners: dict[int, MemoryMember] = {}

    def join(self, member: MemoryMember) -> None:
        """Take a member in; partitions come to it as the others give them up."""
        self._members.append(member)
        self._balance()

    def leave(self, member: MemoryMember) -> None:
        """The member is gone, its partitions are free at once."""
        if member in self._members:
            self._members.remove(member)
            for number in [n for n, owner in self._owners.items() if owner is member]:
                del self._owners[number]
            self._balance()

    def owns(self, member: MemoryMember, partition: int) -> bool:
        """Whether the partition is this member's."""
        return self._owners.get(partition) is member

    def commit(self, partition: int, offset: int) -> None:
        """The group has dealt with everything before ``offset``."""
        if offset > self.committed[partition]:
            self.committed[partition] = offset
            self.partitions[partition].freed.set()

    def give_up(self, member: MemoryMember, partition: int) -> None:
        """A revoked partition's owner has polled since: it is free."""
        if self.owns(member, partition):
            del self._owners[partition]
            self._balance()

    def _balance(self) -> None:
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
