"""A room: its state, and the fan-out of its events to viewers."""

from collections.abc import Iterator
from dataclasses import dataclass

from captions.deletion import Deletion, LastUtterance, deleted_message
from captions.messages import CaptionMessage, Gap, RoomEvent
from captions.ports.log import Bounds, Record
from captions.track import RoomId
from captions.transcript import RoomState
from streamer.batched_callbacks import BatchedCallbacks
from streamer.rooms.event import Encoded
from streamer.rooms.history import Block, History, StoredEvent, stored_event
from streamer.rooms.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Replay:
    """What a viewer receives before live events: a gap if events are missing, then history, then current partials.

    ``deleted`` follows the gap if a deletion is among the missing events. ``seq`` is the room's last deletion.
    """

    gap: Gap | None
    deleted: Encoded | None
    blocks: list[Block]
    partials: list[Encoded]
    seq: int


class Room:
    """One room at this gateway. ``fan_out`` wakes viewers."""

    def __init__(self, room: RoomId, fan_out: BatchedCallbacks) -> None:
        self.id = room
        self._fan_out = fan_out
        self.state = RoomState()
        self.history = History()
        self.deletion: Deletion | None = None
        self._partials: dict[tuple[str, int], Encoded] = {}
        self._audience: set[Viewer] = set()
        self._publishers: set[Viewer] = set()

    @property
    def audience(self) -> list[Viewer]:
        """The viewers, without publishers."""
        return list(self._audience)

    @property
    def viewers(self) -> list[Viewer]:
        """Everyone who receives events: the audience and the publishers of the room's tracks."""
        return [*self._audience, *self._publishers]

    def apply(self, event: RoomEvent, at: float) -> int:
        """Apply an event with log timestamp ``at`` (epoch seconds), and queue it for every viewer.

        Returns the number of viewers; 0 if the event is not newer than what the room has.
        """
        if not self.state.apply(event):
            return 0
        encoded = Encoded(event)
        if event.seq is not None:
            self.history.add(stored_event(event, event.seq, at, encoded.json))
        if encoded.final_of is not None:
            self._partials.pop(encoded.final_of, None)
        if encoded.partial_of is not None:
            self._partials[encoded.partial_of] = encoded
        for viewer in self._publishers:
            if viewer.put(encoded):
                viewer.wake.set()
        self._fan_out.add([viewer.wake.set for viewer in self._audience if viewer.put(encoded)])
        return len(self._audience) + len(self._publishers)

    @property
    def deleted_to(self) -> int:
        """The ``seq`` of the last deletion; -1 if there is none."""
        return -1 if self.deletion is None else self.deletion.seq

    @property
    def empty(self) -> bool:
        """Whether nothing is known of the room: no event, and no deletion."""
        return not (self.history.blocks or self._partials or self.state.last_utterances or self.deletion)

    def deletes(self, event: RoomEvent, record: Record, audio_partition: int) -> bool:
        """Whether the event was deleted: it came before the last deletion, or is of an utterance that began before."""
        if self.deletion is None:
            return False
        if event.seq is not None and event.seq < self.deletion.seq:
            return True
        if not isinstance(event, CaptionMessage) or not self.deletion.covers(event, record, audio_partition):
            return False
        self.state.count(event.track, LastUtterance.of(event))
        return True

    def delete(self, deletion: Deletion) -> None:
        """Forget everything that was said before the deletion, and tell every viewer. Numbering goes on."""
        if deletion.seq <= self.deleted_to:
            return
        self.deletion = deletion.after(self.deletion)
        self.forget(deletion.seq + 1)
        self.state.delete(self.deletion)
        self._partials.clear()
        encoded = Encoded(deleted_message(self.id, deletion))
        for viewer in self.viewers:
            viewer.delete()
        self._fan_out.add([viewer.wake.set for viewer in self._audience if viewer.put(encoded)])

    def join(self, viewer: Viewer) -> None:
        """Add a viewer to the audience; it receives events from now on."""
        self._audience.add(viewer)

    def replay(self, viewer: Viewer, bounds: Bounds, after: int | None, last: int | None) -> Replay:
        """What to send to the viewer first: events after ``after``, or the ``last`` finals; all if both are None.

        Clears the viewer's queue, because the replay contains its events: none is lost and none is sent twice.
        ``bounds`` are those of the room's partition; they tell which events are no longer retained.
        """
        viewer.clear()
        retained = bounds._replace(earliest=max(bounds.earliest, self.history.earliest))
        deleted = None
        if self.deletion is not None and after is not None and after < self.deletion.seq:
            deleted = Encoded(deleted_message(self.id, self.deletion))
        if (gap := missing(after, retained)) is not None:
            after = -1
        blocks = self.history.replay(after=after, last=last, tracks=viewer.tracks)
        partials = [partial for partial in self._partials.values() if viewer.wants(partial)]
        return Replay(gap, deleted, blocks, partials, self.deleted_to)

    def left_of(self, block: Block, replay: Replay) -> Block:
        """A block of the replay without what has been deleted meanwhile. Ask right before it is sent."""
        return block if self.deleted_to == replay.seq else block.where(self._stays)

    def partials_of(self, replay: Replay) -> Iterator[Encoded]:
        """The replay's partials, up to a deletion meanwhile."""
        for partial in replay.partials:
            if self.deleted_to == replay.seq:
                yield partial

    def _stays(self, event: StoredEvent) -> bool:
        return event.seq > self.deleted_to or event.lasting

    def forget(self, before: int) -> None:
        """Forget finals and ended tracks with a ``seq`` below ``before``."""
        for event in self.history.forget(before):
            self.state.forget(event.track, event.utterance)

    def expire(self, before: int) -> None:
        """Forget events with a ``seq`` below ``before`` although the log has them yet. Numbering goes on."""
        numbers = self.state.last_utterances
        self.forget(before)
        for track, last in numbers.items():
            self.state.count(track, last)

    def leave(self, viewer: Viewer) -> None:
        """Remove a viewer from the audience."""
        self._audience.discard(viewer)

    def follow(self, viewer: Viewer) -> None:
        """Send events to a publisher too, without counting it as audience."""
        self._publishers.add(viewer)

    def unfollow(self, viewer: Viewer) -> None:
        """Stop sending events to a publisher."""
        self._publishers.discard(viewer)


def missing(after: int | None, bounds: Bounds) -> Gap | None:
    """The gap between ``after`` and the first retained event; None if no event is missing.

    If ``after`` is a ``seq`` that this log has not assigned yet, it comes from another log, whose events are all
    missing: the gap then ends where this log begins.
    """
    if after is None:
        return None
    if after >= bounds.end:
        to = max(bounds.earliest - 1, 0)
        return Gap(after=min(after, to), to=to)
    trimmed = bounds.earliest > bounds.first
    if after < bounds.earliest - 1 and (trimmed or after > 0):
        return Gap(after=after, to=bounds.earliest - 1)
    return None
