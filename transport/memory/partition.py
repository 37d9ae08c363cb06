"""One partition: entries in order, what of them is retained, and who waits for more."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from captions.ports.log import Bounds, Entry, Record

ENTRY_OVERHEAD = 200
"""Bytes that an entry costs beside its key, value and headers, roughly."""


def weight(record: Record) -> int:
    """Bytes a record is counted as."""
    headers = sum(len(name) + len(value) for name, value in record.headers.items())
    return len(record.key) + len(record.value) + headers + ENTRY_OVERHEAD


class Partition:
    """Entries from ``earliest`` up to ``end``. ``held`` is the least offset that some group still needs."""

    def __init__(self, topic: str, number: int, first: int, held: Callable[[], int | None]) -> None:
        self.topic = topic
        self.number = number
        self.first = first
        self.end = first
        self.bytes = 0
        self._entries: deque[Entry] = deque()
        self._held = held
        self.appended = asyncio.Event()
        self.freed = asyncio.Event()

    @property
    def earliest(self) -> int:
        """The earliest offset retained; the next one where nothing is."""
        return self._entries[0].offset if self._entries else self.end

    @property
    def bounds(self) -> Bounds:
        """First, earliest and next offset."""
        return Bounds(self.first, self.earliest, self.end)

    def append(self, record: Record, timestamp: float) -> int:
        """Append and wake whoever waits; the offset."""
        offset = self.end
        self._entries.append(Entry(self.topic, self.number, offset, timestamp, record))
        self.end += 1
        self.bytes += weight(record)
        appended, self.appended = self.appended, asyncio.Event()
        appended.set()
        return offset

    def slice(self, start: int, most: int) -> list[Entry]:
        """Up to ``most`` entries from offset ``start``, or from the earliest after it."""
        skip = max(0, start - self.earliest)
        return list(islice(self._entries, skip, skip + most))

    def trim(self, most_bytes: int, before: float) -> None:
        """Drop entries from the front while there are more than ``most_bytes`` or they are older than ``before``.

        What a group has not committed stays.
        """
        held = self._held()
        while self._entries:
            entry = self._entries[0]
            if held is not None and entry.offset >= held:
                break
            if self.bytes <= most_bytes and entry.timestamp >= before:
                break
            self._entries.popleft()
            self.bytes -= weight(entry.record)

    def free(self) -> None:
        """Wake appends that wait for room."""
        freed, self.freed = self.freed, asyncio.Event()
        freed.set()
