"""One partition in memory: its entries in order, its retention, and the events of waiting readers."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from captions.ports.log import Bounds, Doomed, Entry, Record

ENTRY_OVERHEAD = 550
"""The approximate memory of an entry in addition to its key, value and headers, in bytes."""


def weight(record: Record) -> int:
    """The size of a record in bytes, as it is counted against the retention."""
    headers = sum(len(name) + len(value) for name, value in record.headers.items())
    return len(record.key) + len(record.value) + headers + ENTRY_OVERHEAD


class Partition:
    """Entries from ``earliest`` up to ``end``.

    ``held`` returns the lowest offset that must not be dropped yet; None means no limit. ``watchers`` are set at every
    append, and ``freed`` is set when there may be room again. ``turn`` keeps waiting appends in order.
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
        self._entries: dict[int, Entry] = {}  # by offset: access to the middle of a deque is slow
        self._held = held

    @property
    def bounds(self) -> Bounds:
        """The first, the earliest retained and the next offset."""
        return Bounds(self.first, self.earliest, self.end)

    def append(self, record: Record, timestamp: float) -> int:
        """Append, wake the watchers and return the offset."""
        offset = self.end
        self._entries[offset] = Entry(self.topic, self.number, offset, timestamp, record)
        self.end += 1
        self.bytes += weight(record)
        for watcher in self.watchers:
            watcher.set()
        return offset

    def slice(self, start: int, most: int) -> list[Entry]:
        """Up to ``most`` entries from ``start``, or from the earliest retained offset after it."""
        begin = max(start, self.earliest)
        return [self._entries[offset] for offset in range(begin, min(begin + most, self.end))]

    def offset_at(self, wall: float) -> int:
        """The first offset appended at ``wall`` (epoch seconds) or later; the end if there is none."""
        offsets = range(self.earliest, self.end)
        return self.earliest + bisect_left(offsets, wall, key=lambda offset: self._entries[offset].timestamp)

    def erase(self, before: int, doomed: Doomed, *, headers: bool) -> None:
        """Empty the records before offset ``before`` whose key is ``doomed``. Their entries stay, for their offsets."""
        for offset in range(self.earliest, min(before, self.end)):
            entry = self._entries[offset]
            record = entry.record
            if doomed(record.key) and not record.erased:
                empty = Record(record.key, b"", {} if headers else record.headers, erased=True)
                self._entries[offset] = replace(entry, record=empty)
                self.bytes -= weight(record) - weight(empty)
        self.freed.set()

    def trim(self, most_bytes: int, before: float) -> None:
        """Drop the oldest entries while the partition exceeds ``most_bytes`` or they are older than ``before``.

        Entries from the held offset on are kept.
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
