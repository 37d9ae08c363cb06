"""Helpers to read a range of one partition, and to consume a whole topic as a member of a consumer group."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from captions.errors import LogError
from captions.ports.clock import Clock
from captions.ports.log import Entry, Log, Revoked

POLL_TIMEOUT = 1.0
COMMIT_INTERVAL = 1.0
"""Seconds between two commits while the entries of one poll are handled."""


async def entries_between(
    log: Log, topic: str, partition: int, *, since: float, end: int | None = None
) -> AsyncGenerator[Entry]:
    """Yield the entries appended since epoch second ``since``, up to offset ``end`` (None: the current end).

    Raises ``LogError``. Entries that are no longer retained, or were erased, are skipped.
    """
    start = await log.offset_at(topic, partition, since)
    if end is None:
        end = (await log.bounds(topic, partition)).end
    if start >= end:
        return
    async with aclosing(log.read(topic, partition, start)) as entries:
        async for entry in entries:
            if entry.offset < end and not entry.record.erased:
                yield entry
            if entry.offset >= end - 1:
                return


async def consume(log: Log, topic: str, group: str, handle: Callable[[Entry], Awaitable[None]], clock: Clock) -> None:
    """Consume ``topic`` as a member of ``group``, without end.

    Each entry that was not erased is handled at least once; entries with the same key are handled in order. An entry is
    committed after ``handle`` has returned, at most about a second later. Errors from ``handle`` and ``LogError`` are
    raised; a member that joins afterwards continues with the entry that failed.
    """
    async with log.join(topic, group) as member:
        handled: dict[int, int] = {}

        async def commit() -> None:
            for partition, offset in handled.items():
                await member.commit(partition, offset)
            handled.clear()

        while True:
            committed = clock.monotonic()
            try:
                for event in await member.poll(POLL_TIMEOUT):
                    if isinstance(event, Revoked):
                        handled.pop(event.partition, None)
                    elif isinstance(event, Entry):
                        if not event.record.erased:
                            await handle(event)
                        handled[event.partition] = event.offset + 1
                    if handled and clock.monotonic() - committed >= COMMIT_INTERVAL:
                        await commit()
                        committed = clock.monotonic()
            except BaseException:
                with suppress(LogError):  # what was raised says more
                    await commit()
                raise
            await commit()
