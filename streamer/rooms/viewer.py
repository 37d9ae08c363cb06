"""A viewer's bounded queue, in which newer captions replace older partials."""

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from captions.errors import Refusal, SlowConsumer, Unauthorized
from captions.messages import CaptionMessage, Deleted
from captions.ports.probe import Probe
from streamer.rooms.event import Encoded


@dataclass(slots=True)
class _Slot:
    item: Encoded | None


class Viewer:
    """The queue of events that wait to be sent to one viewer.

    ``tracks`` limits the events to these tracks; if it is empty, the viewer gets all tracks. A newer partial replaces
    the partial of its utterance that waits, and a final removes it. If more than ``backlog`` events wait, the viewer
    is too slow: the queue ends, and ``take`` raises ``SlowConsumer``. ``wake`` is set when there is something to take.
    """

    def __init__(
        self, *, backlog: int, probe: Probe, tracks: Collection[str] = (), partials: bool = True,
        wake: asyncio.Event | None = None,
    ) -> None:  # fmt: skip
        self._backlog = backlog
        self._probe = probe
        self.tracks = frozenset(tracks)
        self._partials = partials
        self._slots: deque[_Slot] = deque()
        self._waiting: dict[tuple[str, int], _Slot] = {}
        self._live = 0
        self._ended: Refusal | None = None
        self.wake = wake or asyncio.Event()

    def wants(self, encoded: Encoded) -> bool:
        """Whether the viewer subscribed to events like this one."""
        event = encoded.event
        if isinstance(event, Deleted):
            return True
        if self.tracks and event.track not in self.tracks:
            return False
        return self._partials or encoded.partial_of is None

    def put(self, encoded: Encoded) -> bool:
        """Queue an event if the viewer wants it. Returns whether the caller has to set ``wake``, now or soon."""
        if self._ended is not None or not self.wants(encoded):
            return False
        key = encoded.partial_of
        if key is not None and (slot := self._waiting.get(key)) is not None:
            slot.item = encoded
            self._probe.partials_dropped(1)
            return False
        if encoded.final_of is not None and (slot := self._waiting.pop(encoded.final_of, None)) is not None:
            slot.item = None
            self._live -= 1
            self._probe.partials_dropped(1)
        slot = _Slot(encoded)
        self._slots.append(slot)
        self._live += 1
        if key is not None:
            self._waiting[key] = slot
        if self._live > self._backlog:
            self.end(SlowConsumer("this viewer reads too slowly; reconnect with after= the last seq it received"))
        return True

    def end(self, refusal: Refusal) -> None:
        """End the queue: once all events are taken, ``take`` raises ``refusal``.

        The events of a viewer that is too slow, or may not see them any more, are dropped.
        """
        if self._ended is None or isinstance(refusal, Unauthorized):
            self._ended = refusal
        if isinstance(refusal, SlowConsumer | Unauthorized):
            self.clear()
        self.wake.set()

    def clear(self) -> None:
        """Drop all events that wait."""
        self._slots.clear()
        self._waiting.clear()
        self._live = 0

    def delete(self) -> None:
        """Drop the captions that wait: they were deleted."""
        left = [slot for slot in self._slots if slot.item and not isinstance(slot.item.event, CaptionMessage)]
        self.clear()
        self._slots.extend(left)
        self._live = len(left)

    def take(self) -> list[Encoded]:
        """Take all events that wait. Raises the ``Refusal`` that ended the queue once none are left."""
        items = [slot.item for slot in self._slots if slot.item is not None]
        self.clear()
        if not items:
            self._check()
        return items

    def _check(self) -> None:
        if self._ended is not None:
            raise self._ended

    async def wait(self) -> Encoded:
        """Wait until there is an event, and take it. Raises the ``Refusal`` that ended the queue.

        The others stay in the queue while this one is sent: they may yet be replaced, or deleted.
        """
        while True:
            self.wake.clear()
            while self._slots:
                item = self._slots.popleft().item
                if item is not None:
                    self._live -= 1
                    if item.partial_of is not None:
                        del self._waiting[item.partial_of]
                    return item
            self._check()
            await self.wake.wait()
