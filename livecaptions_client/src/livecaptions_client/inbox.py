"""Events that wait for whoever iterates over them."""

import asyncio
from collections import deque

from livecaptions_client.events import Ack, Caption, Event

MANY = 1000
"""Waiting events above which those that a later one replaced are dropped."""


class Inbox:
    """A queue for one reader.

    Where nobody reads, it grows with the finals only: of many waiting events it drops partials that a later caption
    replaced, and acknowledgements before the last.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._many = MANY
        self._news = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        if len(self._events) > self._many:
            self._compact()
            self._many = max(MANY, 2 * len(self._events))
        self._news.set()

    def close(self) -> None:
        """Add nothing more; what waits can still be read."""
        self._closed = True
        self._news.set()

    async def next(self) -> Event | None:
        """Return the next event, None at the end."""
        while not self._events:
            if self._closed:
                return None
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

    def _compact(self) -> None:
        kept: deque[Event] = deque()
        replaced: set[object] = set()
        for event in reversed(self._events):
            subject = _subject(event)
            if subject not in replaced or (isinstance(event, Caption) and event.final):
                kept.appendleft(event)
            if subject is not None:
                replaced.add(subject)
        self._events = kept


def _subject(event: Event) -> object:
    """What a later event of the same subject replaces, None for events that stand for themselves."""
    match event:
        case Ack():
            return Ack
        case Caption():
            return event.track, event.utterance
        case _:
            return None
