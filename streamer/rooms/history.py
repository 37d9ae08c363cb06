"""What a room keeps for those who come late: finals and track states, encoded once, in blocks that all share."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from captions.messages import CaptionMessage, RoomEvent
from streamer.rooms.frames import text_frames

BLOCK_BYTES = 128 * 1024
"""A block is full at this size: what one viewer is sent in one go, about 0.1 ms of the event loop."""

OVERHEAD = 400
"""Bytes that an event costs beside its JSON, roughly: the objects that hold it, and its place in the room's state."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A final or a track state. ``at`` is when the log took it, epoch seconds; ``json`` is what viewers get.

    ``utterance`` is None for a track state, which is ``lasting`` while the track has not ended. A
    ``withdrawn`` final has no text.
    """

    seq: int
    at: float
    track: str
    utterance: int | None
    withdrawn: bool
    lasting: bool
    json: bytes

    @property
    def type(self) -> str:
        """The message's ``type``."""
        return "track" if self.utterance is None else "caption"

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return len(self.json) + OVERHEAD


def stored_event(event: RoomEvent, seq: int, at: float, json: bytes) -> StoredEvent:
    """What is kept of an event."""
    if isinstance(event, CaptionMessage):
        return StoredEvent(seq, at, event.track, event.utterance, not event.text, False, json)
    return StoredEvent(seq, at, event.track, None, False, event.state != "ended", json)


class Block:
    """Events that follow each other, never changed: whoever was handed it may take its time.

    What is derived of it is made when somebody first needs it, and shared.
    """

    def __init__(self, events: Sequence[StoredEvent]) -> None:
        self.events = tuple(events)

    @cached_property
    def frames(self) -> bytes:
        """The WebSocket frames of all of them."""
        return text_frames(event.json for event in self.events)

    @cached_property
    def spoken(self) -> "Block":
        """Without the finals that were withdrawn."""
        return self.where(lambda event: not event.withdrawn)

    @cached_property
    def states(self) -> "Block":
        """The track states alone."""
        return self.where(lambda event: event.utterance is None)

    @cached_property
    def finals(self) -> int:
        """How many finals there are."""
        return sum(event.utterance is not None for event in self.events)

    @cached_property
    def weight(self) -> int:
        """Bytes of memory, roughly, without what is derived."""
        return sum(event.weight for event in self.events)

    def where(self, wanted: Callable[[StoredEvent], bool]) -> "Block":
        """The events that are wanted; this block itself where all are."""
        events = [event for event in self.events if wanted(event)]
        return self if len(events) == len(self.events) else Block(events)


class History:
    """Finals and the last state of each track, in the order of their ``seq``, which grows."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int | None], StoredEvent] = {}
        self._blocks: list[Block] = []
        self._open: list[StoredEvent] = []
        self._open_bytes = 0
        self._last: Block | None = None
        self.earliest = 0
        """Everything from this ``seq`` on is here."""

    def add(self, event: StoredEvent) -> None:
        """Add an event; it takes the place of the earlier one of its utterance, or of its track's state."""
        key = (event.track, event.utterance)
        if (replaced := self._held.pop(key, None)) is not None:
            self._remove(replaced)
        self._held[key] = event
        self._open.append(event)
        self._open_bytes += len(event.json)
        self._last = None
        if self._open_bytes >= BLOCK_BYTES:
            self._blocks.append(Block(self._open))
            self._open, self._open_bytes = [], 0

    def _remove(self, event: StoredEvent) -> None:
        self._last = None
        if self._open and event.seq >= self._open[0].seq:
            self._open.remove(event)
            self._open_bytes -= len(event.json)
            return
        at = bisect_right(self._blocks, event.seq, key=lambda block: block.events[0].seq) - 1
        rest = self._blocks[at].where(lambda held: held is not event)
        self._blocks[at : at + 1] = [rest] if rest.events else []

    @property
    def blocks(self) -> list[Block]:
        """Everything, as it is now."""
        if not self._open:
            return [*self._blocks]
        self._last = self._last or Block(self._open)
        return [*self._blocks, self._last]

    @property
    def latest(self) -> int:
        """The highest ``seq``; -1 where there is nothing."""
        blocks = self.blocks
        return blocks[-1].events[-1].seq if blocks else -1

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly."""
        return sum(block.weight for block in self.blocks)

    def replay(self, *, after: int | None, last: int | None, tracks: Collection[str]) -> list[Block]:
        """What a viewer is told that saw everything up to ``after``, or nothing (None) and wants the ``last`` finals.

        ``tracks`` empty means all, ``last`` None too. Who has seen nothing is spared what was withdrawn, and told
        of every track.
        """
        blocks = [block.spoken for block in self.blocks] if after is None else self._from(after + 1)
        if tracks:
            blocks = [block.where(lambda event: event.track in tracks) for block in blocks]
        if after is None and last is not None:
            blocks = _last_finals(blocks, last)
        return [block for block in blocks if block.events]

    def finals(self, *, before: int | None, last: int | None) -> list[StoredEvent]:
        """The ``last`` finals with text whose ``seq`` is less than ``before``, in its order; None: no limit."""
        blocks = [block.spoken for block in self.blocks]
        if before is not None:
            blocks = [block.where(lambda event: event.seq < before) for block in blocks]
        if last is not None:
            blocks = _last_finals(blocks, last)
        return [event for block in blocks for event in block.events if event.utterance is not None]

    def _from(self, seq: int) -> list[Block]:
        return [
            block if block.events[0].seq >= seq else block.where(lambda event: event.seq >= seq)
            for block in self.blocks
        ]

    def forget(self, before: int) -> list[StoredEvent]:
        """Forget what has a ``seq`` less than ``before``, except tracks that have not ended; what that was."""
        self.earliest = max(self.earliest, before)

        def stays(event: StoredEvent) -> bool:
            return event.seq >= before or event.lasting

        gone = [
            event for block in self.blocks if block.events[0].seq < before for event in block.events if not stays(event)
        ]
        if gone:
            left = (block if block.events[0].seq >= before else block.where(stays) for block in self._blocks)
            self._blocks = [block for block in left if block.events]
            self._open = [event for event in self._open if stays(event)]
            self._open_bytes = sum(len(event.json) for event in self._open)
            self._last = None
        for event in gone:
            del self._held[event.track, event.utterance]
        return gone

    def release(self) -> None:
        """Give back what was derived for viewers who came together; it is made again when the next ones come."""
        self._blocks = [Block(block.events) for block in self._blocks]
        self._last = None


def _last_finals(blocks: Sequence[Block], most: int) -> list[Block]:
    """The blocks without all but the last ``most`` finals; track states stay."""
    chosen: list[Block] = []
    left = most
    for block in reversed(blocks):
        if left <= 0:
            chosen.append(block.states)
        elif block.finals <= left:
            chosen.append(block)
        else:
            first = [event.seq for event in block.events if event.utterance is not None][-left]
            chosen.append(block.where(partial(_told_from, first)))
        left -= block.finals
    return chosen[::-1]


def _told_from(seq: int, event: StoredEvent) -> bool:
    return event.utterance is None or event.seq >= seq
