"""Adapters of the UsageLedger port: within one process, and over the log, where all gateways count together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from math import inf

import structlog

from captions.errors import LogError, RecordError
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.records import USAGE
from captions.usage import MonthlyTotals, UsageTotal, month_of, read_usage, rest_of_month, write_usage

logger = structlog.get_logger(__name__)

WRITE_INTERVAL = 5.0
"""Seconds between two writes. What a process counted since the last one is lost if it dies."""

READ_TIMEOUT = 30.0
"""Seconds that a start waits for the totals of the other gateways."""

RETRY_PAUSE = 5.0


class Usage:
    """Usage that this process counts and forgets. Subclasses make it durable. ``writer`` names this process."""

    def __init__(self, clock: Clock, writer: str = "") -> None:
        self.totals = MonthlyTotals()
        self._clock = clock
        self._writer = writer
        self._month, self._since, self._until = "", inf, -inf

    def used(self, account: str) -> float:
        """Seconds of audio of this month that are known here."""
        return self.totals.used(self._this_month(), account)

    def add(self, account: str, seconds: float) -> None:
        """Count audio of now."""
        self.count(self._this_month(), account, seconds)

    def _this_month(self) -> str:
        wall = self._clock.wall()
        if not self._since <= wall < self._until:  # five times a second and stream, the calendar would cost 5 µs
            self._month, self._since, self._until = month_of(wall), wall, wall + rest_of_month(wall)
        return self._month

    def count(self, month: str, account: str, seconds: float) -> float:
        """Count audio of a month. Returns what this process has counted in it."""
        return self.totals.add(month, account, self._writer, seconds)


class UsageOnLog(Usage):
    """Usage on topic ``usage``, which every gateway writes and reads.

    Each record has one gateway's total of one account, so the latest record of each key says everything.
    """

    def __init__(self, log: Log, clock: Clock, writer: str) -> None:
        super().__init__(clock, writer)
        self._log = log
        self._unwritten: dict[tuple[str, str], float] = {}
        self._behind = set(range(log.partitions(USAGE)))
        self._caught_up = asyncio.Event()

    def count(self, month: str, account: str, seconds: float) -> float:
        """Count audio of a month, to be written soon. Returns what this gateway has counted in it."""
        total = self._unwritten[month, account] = super().count(month, account, seconds)
        return total

    async def write(self) -> None:
        """Write the totals that changed. Raises ``LogError``; they are written the next time."""
        for (month, account), total in list(self._unwritten.items()):
            await self._log.append(USAGE, write_usage(UsageTotal(month, account, self._writer, total)))
            if self._unwritten.get((month, account)) == total:  # it may have grown meanwhile
                del self._unwritten[month, account]

    async def caught_up(self) -> None:
        """Return once everything is read that was written before this gateway began."""
        await self._caught_up.wait()

    async def follow(self, partition: int) -> None:
        """Read what all gateways write, without end. After an error it begins again: totals may be read twice."""
        while True:
            try:
                await self._follow(partition)
            except LogError as error:
                logger.warning("usage_not_read", error=str(error))
                await asyncio.sleep(RETRY_PAUSE)

    async def _follow(self, partition: int) -> None:
        bounds = await self._log.bounds(USAGE, partition)
        if bounds.earliest >= bounds.end:
            self._read(partition)
        async with aclosing(self._log.read(USAGE, partition, bounds.earliest)) as entries:
            async for entry in entries:
                try:
                    total = read_usage(entry.record)
                except RecordError as error:
                    logger.warning("record_skipped", topic=USAGE, offset=entry.offset, error=str(error))
                else:
                    self.totals.merge(total.month, total.account, total.gateway, total.seconds)
                if entry.offset >= bounds.end - 1:
                    self._read(partition)

    def _read(self, partition: int) -> None:
        self._behind.discard(partition)
        if not self._behind:
            self._caught_up.set()

    async def keep_writing(self) -> None:
        """Write regularly, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_INTERVAL)
            try:
                await self.write()
            except LogError as error:
                logger.warning("usage_not_written", error=str(error))


@asynccontextmanager
async def usage_on_log(log: Log, clock: Clock, writer: str) -> AsyncIterator[UsageOnLog]:
    """Usage that is read and written while the context lasts, and written once more at its end.

    If the log does not answer in time, the context begins with what is known: quotas must not keep a gateway down.
    """
    usage = UsageOnLog(log, clock, writer)
    tasks = [asyncio.create_task(usage.follow(partition)) for partition in range(log.partitions(USAGE))]
    tasks.append(asyncio.create_task(usage.keep_writing()))
    try:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                await usage.caught_up()
        except TimeoutError:
            logger.warning("usage_not_read", error=f"the log did not answer within {READ_TIMEOUT:.0f} s")
        yield usage
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(WRITE_INTERVAL):
                await usage.write()
        except (LogError, TimeoutError) as error:
            logger.warning("usage_not_written", error=str(error))
