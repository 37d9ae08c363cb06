"""The two ways to read the log beyond following it: a stretch of one partition, and everything, as a consumer group."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from captions.errors import LogError
from captions.ports.clock import Clock
from captions.ports.log import Entry, Log, Revoked

POLL_TIMEOUT = 1.0
COMMIT_INTERVAL = 1.0
"""Seconds between two commits while one poll's entries are handled."""


async def entries_between(
    log: Log, topic: str, partition: int, *, since: float, end: int | None = None
) -> AsyncGenerator[Entry]:
    """The partition's entries from epoch second ``since`` up to offset ``end``; None: up to its end as it is now.

    Raises ``LogError``. Entries that are no longer retained are passed over.
    """
    start = await log.offset_at(topic, partition, since)
    if end is None:
        end = (await log.bounds(topic, partition)).end
    if start >= end:
        return
    async with aclosing(log.read(topic, partition, start)) as entries:
        async for entry in entries:
            if entry.offset < end:
                yield entry
            if entry.offset >= end - 1:
                return


async def consume(log: Log, topic: str, group: str, handle: Callable[[Entry], Awaitable[None]], clock: Clock) -> None:
    """Handle the topic's entries as a member of ``group``, each at least once, those of one key in order, for ever.

    An entry is committed after ``handle`` returned, at the latest a second later where the next one takes long. What
    ``handle`` raises ends this, and so does ``LogError``; a member that joins afterwards goes on with the entry that
    failed.
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
