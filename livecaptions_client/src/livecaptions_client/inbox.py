"""A queue of events for the code that iterates over a publication."""

import asyncio
from collections import deque

from livecaptions_client.events import Ack, Caption, Event

COMPACTION_SIZE = 1000
"""The number of waiting events above which the queue is compacted: replaced events are dropped."""


class Inbox:
    """A queue for one reader.

    A long queue is compacted: partials that a later caption replaced are dropped, and all acknowledgements except the
    last. If nobody reads, the queue therefore grows with the finals only.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._compact_above = COMPACTION_SIZE
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        if len(self._events) > self._compact_above:
            self._compact()
            self._compact_above = max(COMPACTION_SIZE, 2 * len(self._events))
        self._changed.set()

    def close(self) -> None:
        """End the queue. The waiting events can still be read."""
        self._closed = True
        self._changed.set()

    async def next(self) -> Event | None:
        """Return the next event, or None at the end."""
        while not self._events:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._events.popleft()

    def _compact(self) -> None:
        kept: deque[Event] = deque()
        replaced: set[object] = set()
        for event in reversed(self._events):
            key = _key(event)
            if key not in replaced or (isinstance(event, Caption) and event.final):
                kept.appendleft(event)
            if key is not None:
                replaced.add(key)
        self._events = kept


def _key(event: Event) -> object:
    """The key of an event: a later event with the same key replaces it. None if nothing replaces the event."""
    match event:
        case Ack():
            return Ack
        case Caption():
            return event.track, event.utterance
        case _:
            return None
