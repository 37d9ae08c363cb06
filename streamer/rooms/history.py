"""A room's history for late viewers: finals and track states, encoded once, in blocks that all viewers share."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

from captions.messages import CaptionMessage, RoomEvent
from streamer.rooms.frames import text_frames

BLOCK_BYTES = 128 * 1024
"""Bytes of JSON at which a block is full. A viewer receives a block in one send: about 0.1 ms of the event loop."""

OVERHEAD = 400
"""Approximate bytes of memory per event in addition to its JSON: Python objects, and its entry in the room's state."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A final or a track state, as ``json`` in the form that viewers receive.

    ``at`` is the log's timestamp in epoch seconds. ``utterance`` and ``started_at`` are None for a track state. A track
    state is ``lasting`` until the track has ended. A ``withdrawn`` final has no text.
    """

    seq: int
    at: float
    track: str
    utterance: int | None
    withdrawn: bool
    lasting: bool
    json: bytes
    started_at: datetime | None = None

    @property
    def type(self) -> str:
        """The message's ``type``."""
        return "track" if self.utterance is None else "caption"

    @property
    def weight(self) -> int:
        """Approximate bytes of memory."""
        return len(self.json) + OVERHEAD


def stored_event(event: RoomEvent, seq: int, at: float, json: bytes) -> StoredEvent:
    """The history's entry for ``event``."""
    if isinstance(event, CaptionMessage):
        withdrawn = not event.text
        return StoredEvent(seq, at, event.track, event.utterance, withdrawn, False, json, event.started_at)
    return StoredEvent(seq, at, event.track, None, False, event.state != "ended", json)


class Block:
    """Consecutive events. A block is immutable, so a viewer may still be sending it while the history changes.

    Derived forms, such as the encoded frames, are computed on first use and shared by all viewers.
    """

    def __init__(self, events: Sequence[StoredEvent]) -> None:
        self.events = tuple(events)

    @cached_property
    def frames(self) -> bytes:
        """All events as consecutive WebSocket frames."""
        return text_frames(event.json for event in self.events)

    @cached_property
    def spoken(self) -> "Block":
        """The block without withdrawn finals."""
        return self.where(lambda event: not event.withdrawn)

    @cached_property
    def states(self) -> "Block":
        """The block's track states."""
        return self.where(lambda event: event.utterance is None)

    @cached_property
    def finals(self) -> int:
        """The number of finals."""
        return sum(event.utterance is not None for event in self.events)

    @cached_property
    def weight(self) -> int:
        """Approximate bytes of memory, without the derived forms."""
        return sum(event.weight for event in self.events)

    def where(self, wanted: Callable[[StoredEvent], bool]) -> "Block":
        """A block of the ``wanted`` events; this block itself if all of them are."""
        events = [event for event in self.events if wanted(event)]
        return self if len(events) == len(self.events) else Block(events)


class History:
    """A room's finals and the latest state of each track, ordered by ``seq``. Events are added in that order."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int | None], StoredEvent] = {}
        self._blocks: list[Block] = []
        self._open: list[StoredEvent] = []
        self._open_bytes = 0
        self._last: Block | None = None
        self.earliest = 0
        """The history is complete from this ``seq`` on."""

    def add(self, event: StoredEvent) -> None:
        """Add an event. It replaces the earlier final of its utterance, or the earlier state of its track."""
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
        self._merge(at + 1)
        self._merge(at)

    def _merge(self, at: int) -> None:
        """Put a block together with the one before if both are small: captions that are changed leave small blocks."""
        if not 0 < at < len(self._blocks):
            return
        events = [event for block in self._blocks[at - 1 : at + 1] for event in block.events]
        if sum(len(event.json) for event in events) <= BLOCK_BYTES // 2:
            self._blocks[at - 1 : at + 1] = [Block(events)]

    @property
    def blocks(self) -> list[Block]:
        """A snapshot of all events."""
        if not self._open:
            return [*self._blocks]
        self._last = self._last or Block(self._open)
        return [*self._blocks, self._last]

    @property
    def latest(self) -> int:
        """The highest ``seq``; -1 if the history is empty."""
        blocks = self.blocks
        return blocks[-1].events[-1].seq if blocks else -1

    @property
    def weight(self) -> int:
        """Approximate bytes of memory."""
        return sum(block.weight for block in self.blocks)

    def replay(self, *, after: int | None, last: int | None, tracks: Collection[str]) -> list[Block]:
        """The events to send to a viewer before live ones.

        A viewer that resumes has seen everything up to ``after`` and receives all later events. For a new viewer
        ``after`` is None: it receives the ``last`` finals (None: all of them) without withdrawn ones, and the states
        of all tracks. Unless empty, ``tracks`` limits both to these tracks.
        """
        blocks = [block.spoken for block in self.blocks] if after is None else self._from(after + 1)
        if tracks:
            blocks = [block.where(lambda event: event.track in tracks) for block in blocks]
        if after is None and last is not None:
            blocks = _last_finals(blocks, last)
        return [block for block in blocks if block.events]

    def finals(self, *, before: int | None, last: int | None) -> list[StoredEvent]:
        """The ``last`` finals with text and a ``seq`` below ``before``, ordered by ``seq``. None means no limit."""
        blocks = self.blocks
        if before is not None:
            blocks = blocks[: bisect_left(blocks, before, key=lambda block: block.events[0].seq)]
            blocks[-1:] = [block.where(lambda event: event.seq < before) for block in blocks[-1:]]
        blocks = [block.spoken for block in blocks]
        if last is not None:
            blocks = _last_finals(blocks, last)
        return [event for block in blocks for event in block.events if event.utterance is not None]

    def _from(self, seq: int) -> list[Block]:
        return [
            block if block.events[0].seq >= seq else block.where(lambda event: event.seq >= seq)
            for block in self.blocks
        ]

    def forget(self, before: int) -> list[StoredEvent]:
        """Remove events with a ``seq`` below ``before`` and return them. States of tracks that have not ended stay."""
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

    def expired(self, before: float) -> int:
        """The ``seq`` after the last event from before epoch second ``before``; 0 if there is none."""
        blocks = [block for block in self.blocks if block.events[0].at < before]
        old = [event.seq for block in blocks for event in block.events if event.at < before]
        return old[-1] + 1 if old else 0

    def release(self) -> None:
        """Free the memory of derived forms. They are computed again when the next viewer needs them."""
        self._blocks = [Block(block.events) for block in self._blocks]
        self._last = None


def _last_finals(blocks: Sequence[Block], most: int) -> list[Block]:
    """The blocks with only the last ``most`` finals. Track states stay."""
    chosen: list[Block] = []
    left = most
    for block in reversed(blocks):
        if left <= 0:
            chosen.append(block.states)
        elif block.finals <= left:
            chosen.append(block)
        else:
            first = [event.seq for event in block.events if event.utterance is not None][-left]
            chosen.append(block.where(partial(_state_or_from, first)))
        left -= block.finals
    return chosen[::-1]


def _state_or_from(seq: int, event: StoredEvent) -> bool:
    return event.utterance is None or event.seq >= seq
