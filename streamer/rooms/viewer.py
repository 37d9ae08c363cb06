"""A viewer's queue: bounded, with superseded partials dropped first."""

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from captions.errors import Refusal, SlowConsumer
from captions.ports.probe import Probe
from streamer.rooms.event import Encoded


@dataclass(slots=True)
class _Slot:
    item: Encoded | None


class Viewer:
    """What waits to be sent to one viewer.

    ``tracks`` empty means all. At most ``backlog`` events wait: then the viewer is too slow, and ``take``
    raises ``SlowConsumer``. A newer partial takes the place of the one waiting; a final removes it.
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
        """Whether the viewer asked for events like this."""
        if self.tracks and encoded.event.track not in self.tracks:
            return False
        return self._partials or encoded.partial_of is None

    def put(self, encoded: Encoded) -> bool:
        """Queue an event, if it is wanted; whether ``wake`` has to be set, now or a little later."""
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
            self.end(SlowConsumer("you read too slowly; reconnect with after= the last seq you saw"))
        return True

    def end(self, refusal: Refusal) -> None:
        """Nothing more comes: once what waits is taken, ``take`` raises. A slow viewer's queue is emptied at once."""
        if self._ended is None:
            self._ended = refusal
        if isinstance(refusal, SlowConsumer):
            self.skip()
        self.wake.set()

    def skip(self) -> None:
        """Drop what waits."""
        self._slots.clear()
        self._waiting.clear()
        self._live = 0

    def take(self) -> list[Encoded]:
        """Everything that waits; raises the refusal that ended the viewer once nothing does."""
        items = [slot.item for slot in self._slots if slot.item is not None]
        self.skip()
        if not items and self._ended is not None:
            raise self._ended
        return items

    async def wait(self) -> list[Encoded]:
        """Wait until there is something to send, and take it."""
        while True:
            self.wake.clear()
            if items := self.take():
                return items
            await self.wake.wait()
