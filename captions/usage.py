"""Audio by account and calendar month (UTC), as several writers count it, and the records that they write."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from captions.errors import RecordError
from captions.ports.log import Record

MOST_MONTHS = 2
"""Months that are kept: this one, and its neighbour for writers whose clocks differ."""


def month_of(wall: float) -> str:
    """The month of an epoch second, for example ``2026-12``."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m")


def rest_of_month(wall: float) -> float:
    """The seconds from an epoch second to the end of its month."""
    now = datetime.fromtimestamp(wall, UTC)
    year, month = divmod(now.year * 12 + now.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC).timestamp() - wall


class MonthlyTotals:
    """Seconds of audio by month, account and writer.

    A writer's total only grows, so totals can be merged in any order and any number of times.
    """

    def __init__(self) -> None:
        self._months: dict[str, dict[str, dict[str, float]]] = {}

    def add(self, month: str, account: str, writer: str, seconds: float) -> float:
        """Add to what ``writer`` counted, and return its new total."""
        writers = self._of(month).setdefault(account, {})
        writers[writer] = total = writers.get(writer, 0.0) + seconds
        return total

    def merge(self, month: str, account: str, writer: str, total: float) -> None:
        """Apply a total that ``writer`` reported."""
        writers = self._of(month).setdefault(account, {})
        writers[writer] = max(writers.get(writer, 0.0), total)

    def used(self, month: str, account: str) -> float:
        """What all writers counted together."""
        return sum(self._months.get(month, {}).get(account, {}).values())

    @property
    def months(self) -> list[str]:
        """The months in which something was counted."""
        return list(self._months)

    def of_month(self, month: str) -> Mapping[str, float]:
        """What all writers counted together in the month, by account."""
        return {account: sum(writers.values()) for account, writers in self._months.get(month, {}).items()}

    def _of(self, month: str) -> dict[str, dict[str, float]]:
        accounts = self._months.setdefault(month, {})
        while len(self._months) > MOST_MONTHS:
            del self._months[min(self._months)]
        return accounts


class UsageTotal(NamedTuple):
    """The seconds of an account's audio in a month (``2026-12``) that ``gateway`` has counted."""

    month: str
    account: str
    gateway: str
    seconds: float


def write_usage(total: UsageTotal) -> Record:
    """Write a gateway's total as a record."""
    return Record(f"{total.month}/{total.gateway}/{total.account}", json.dumps(total.seconds).encode())


def read_usage(record: Record) -> UsageTotal:
    """Read a gateway's total. Raises ``RecordError``."""
    month, _, rest = record.key.partition("/")
    gateway, _, account = rest.partition("/")
    try:
        seconds = float(record.value)
    except ValueError as error:
        raise RecordError(f"usage value {record.value[:20]!r} is not a number of seconds") from error
    if not (month and gateway and account and 0 <= seconds < inf):
        raise RecordError(f"usage key {record.key!r} is not month/gateway/account, or its value is no duration")
    return UsageTotal(month, account, gateway, seconds)
