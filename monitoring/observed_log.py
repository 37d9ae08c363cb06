"""A Log that counts the failures of another Log with a probe."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager

from captions.errors import LogError
from captions.ports.log import Assigned, Bounds, Doomed, Entry, Log, Member, Record, Revoked
from captions.ports.probe import Probe


class ObservedLog:
    """Wraps a log. Its errors are counted and raised again."""

    def __init__(self, log: Log, probe: Probe) -> None:
        self._log = log
        self._probe = probe

    @property
    def shared(self) -> bool:
        """Whether other processes share this log."""
        return self._log.shared

    def partitions(self, topic: str) -> int:
        """The number of partitions of ``topic``."""
        return self._log.partitions(topic)

    def partition_of(self, topic: str, key: str) -> int:
        """The partition for records with ``key``."""
        return self._log.partition_of(topic, key)

    async def append(self, topic: str, record: Record) -> int:
        """Append and return the offset."""
        with counting_failures(self._probe, "append"):
            return await self._log.append(topic, record)

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The current offsets of the partition."""
        with counting_failures(self._probe, "read"):
            return await self._log.bounds(topic, partition)

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        """The first offset appended at ``wall`` (epoch seconds) or later."""
        with counting_failures(self._probe, "read"):
            return await self._log.offset_at(topic, partition, wall)

    async def erase(
        self, topic: str, partition: int, before: int, doomed: Doomed, *, headers: bool = True
    ) -> float | None:
        """Erase records before offset ``before`` whose key is ``doomed``."""
        with counting_failures(self._probe, "append"):
            return await self._log.erase(topic, partition, before, doomed, headers=headers)

    async def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        """Yield entries from ``start`` without end."""
        with counting_failures(self._probe, "read"):
            async with aclosing(self._log.read(topic, partition, start)) as entries:
                async for entry in entries:
                    yield entry
                    del entry  # it may be erased while the next is waited for

    @asynccontextmanager
    async def join(self, topic: str, group: str) -> AsyncIterator[Member]:
        """Join ``group``."""
        async with AsyncExitStack() as stack:
            with counting_failures(self._probe, "read"):
                member = await stack.enter_async_context(self._log.join(topic, group))
            yield ObservedMember(member, self._probe)


class ObservedMember:
    """Wraps a member. Its errors are counted and raised again."""

    def __init__(self, member: Member, probe: Probe) -> None:
        self._member = member
        self._probe = probe

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - as the port has it
        """Return changes of ownership and entries, in order."""
        with counting_failures(self._probe, "read"):
            return await self._member.poll(timeout)

    async def commit(self, partition: int, offset: int) -> None:
        """Commit ``offset``."""
        with counting_failures(self._probe, "commit"):
            await self._member.commit(partition, offset)

    def pause(self, partition: int) -> None:
        """Stop returning entries of ``partition``."""
        self._member.pause(partition)

    def resume(self, partition: int) -> None:
        """Return entries of ``partition`` again."""
        self._member.resume(partition)


@contextmanager
def counting_failures(probe: Probe, operation: str) -> Iterator[None]:
    """Report a ``LogError`` to the probe as a failure of ``operation``."""
    try:
        yield
    except LogError:
        probe.log_failed(operation)
        raise
