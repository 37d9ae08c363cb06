"""Where the usage of keys and tenants is kept: on the log, in a file, or in memory alone."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from captions.errors import SetupError
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.ports.usage import UsageLedger
from livecaptions.settings.fields import Settings
from streamer.usage import WRITE_INTERVAL, Usage, usage_on_log

logger = structlog.get_logger(__name__)

BEFORE = "before"
"""The writer of what the file had at the start."""


def check_usage(settings: Settings) -> None:
    """Check ``usage_file``. Raises ``SetupError``."""
    if settings.usage_file is None:
        return
    if settings.transport != "memory":
        raise SetupError("usage_file is for the log in memory; over Kafka topic usage keeps usage: remove the setting")
    UsageFile(settings.usage_file)


@asynccontextmanager
async def usage_of(settings: Settings, log: Log, clock: Clock) -> AsyncIterator[UsageLedger]:
    """The usage according to the settings, kept while the context lasts. Raises ``SetupError``."""
    if settings.transport != "memory":
        async with usage_on_log(log, clock, secrets.token_urlsafe(6)) as on_log:
            yield on_log
    elif settings.usage_file is not None:
        async with usage_in_file(settings.usage_file, clock) as in_file:
            yield in_file
    else:
        yield Usage(clock)


class UsageFile:
    """Totals by month and account in a JSON file of one process, replaced as a whole.

    Raises ``SetupError`` if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.totals = self._read()

    def _read(self) -> dict[str, dict[str, float]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                str(month): {str(account): float(seconds) for account, seconds in accounts.items()}
                for month, accounts in content.items()
            }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SetupError(f"cannot read the usage file {self._path}: {error.strerror}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise SetupError(
                f"the usage file {self._path} is not what this server writes: {error}; "
                "restore it from a backup, or move it away, which forgets the minutes of this month"
            ) from error

    def write(self, totals: dict[str, dict[str, float]]) -> None:
        """Replace the file. Raises ``OSError``, and leaves the old file then."""
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(totals, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


class _UsageInFile(Usage):
    def __init__(self, file: UsageFile, clock: Clock) -> None:
        super().__init__(clock)
        self._file = file
        self._changed = False
        for month, accounts in file.totals.items():
            for account, seconds in accounts.items():
                self.totals.merge(month, account, BEFORE, seconds)

    def count(self, month: str, account: str, seconds: float) -> float:
        self._changed = True
        return super().count(month, account, seconds)

    async def write(self) -> None:
        if not self._changed:
            return
        self._changed = False
        totals = {month: dict(self.totals.of_month(month)) for month in self.totals.months}
        try:
            await asyncio.to_thread(self._file.write, totals)
        except OSError as error:
            self._changed = True
            logger.warning("usage_not_written", error=str(error))

    async def keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_INTERVAL)
            await self.write()


@asynccontextmanager
async def usage_in_file(path: Path, clock: Clock) -> AsyncIterator[Usage]:
    """Usage in a file, written regularly while the context lasts, and once more at its end. Raises ``SetupError``."""
    usage = _UsageInFile(UsageFile(path), clock)
    writing = asyncio.create_task(usage.keep_writing())
    try:
        yield usage
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await usage.write()
