"""One partition: entries in order, what of them is retained, and who waits for more."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable

from captions.ports.log import Bounds, Entry, Record

ENTRY_OVERHEAD = 550
"""Bytes that an entry costs beside its key, value and headers, roughly."""


def weight(record: Record) -> int:
    """Bytes a record is counted as."""
    headers = sum(len(name) + len(value) for name, value in record.headers.items())
    return len(record.key) + len(record.value) + headers + ENTRY_OVERHEAD


class Partition:
    """Entries from ``earliest`` up to ``end``. ``held`` is the least offset that may not be dropped yet.

    ``watchers`` are set at every append; ``freed`` when there may be room again. ``turn`` lets appends wait for
    room in the order they came.
    """

    def __init__(self, topic: str, number: int, first: int, held: Callable[[], int | None]) -> None:
        self.topic = topic
        self.number = number
        self.first = first
        self.earliest = first
        self.end = first
        self.bytes = 0
        self.watchers: set[asyncio.Event] = set()
        self.freed = asyncio.Event()
        self.turn = asyncio.Lock()
        self._entries: dict[int, Entry] = {}  # by offset: a deque would be walked to its middle on every read
        self._held = held

    @property
    def bounds(self) -> Bounds:
        """First, earliest retained and next offset."""
        return Bounds(self.first, self.earliest, self.end)

    def append(self, record: Record, timestamp: float) -> int:
        """Append and wake whoever watches; the offset."""
        offset = self.end
        self._entries[offset] = Entry(self.topic, self.number, offset, timestamp, record)
        self.end += 1
        self.bytes += weight(record)
        for watcher in self.watchers:
            watcher.set()
        return offset

    def slice(self, start: int, most: int) -> list[Entry]:
        """Up to ``most`` entries from offset ``start``, or from the earliest after it."""
        begin = max(start, self.earliest)
        return [self._entries[offset] for offset in range(begin, min(begin + most, self.end))]

    def offset_at(self, wall: float) -> int:
        """The first offset appended at ``wall`` or later; the end where there is none."""
        offsets = range(self.earliest, self.end)
        return self.earliest + bisect_left(offsets, wall, key=lambda offset: self._entries[offset].timestamp)

    def trim(self, most_bytes: int, before: float) -> None:
        """Drop entries from the front while there are more than ``most_bytes`` or they are older than ``before``.

        What is held stays.
        """
        held = self._held()
        last = self.end if held is None else min(held, self.end)
        while self.earliest < last:
            entry = self._entries[self.earliest]
            if self.bytes <= most_bytes and entry.timestamp >= before:
                break
            del self._entries[self.earliest]
            self.earliest += 1
            self.bytes -= weight(entry.record)
