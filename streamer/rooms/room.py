"""A room: its state, and the viewers to whom its events are fanned out."""

from dataclasses import dataclass

from captions.messages import Gap, RoomEvent
from captions.ports.log import Bounds
from captions.track import RoomId
from captions.transcript import RoomState
from streamer.batched_callbacks import BatchedCallbacks
from streamer.rooms.event import Encoded
from streamer.rooms.history import Block, History, stored_event
from streamer.rooms.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Replay:
    """What a viewer is told before it is live: whether something is missing, the finals so far, and the partials."""

    gap: Gap | None
    blocks: list[Block]
    partials: list[Encoded]


class Room:
    """One room of this gateway."""

    def __init__(self, room: RoomId, fan_out: BatchedCallbacks) -> None:
        self.id = room
        self._fan_out = fan_out
        self.state = RoomState()
        self.history = History()
        self._partials: dict[tuple[str, int], Encoded] = {}
        self._audience: set[Viewer] = set()
        self._publishers: set[Viewer] = set()

    @property
    def audience(self) -> list[Viewer]:
        """Who reads along."""
        return list(self._audience)

    @property
    def viewers(self) -> list[Viewer]:
        """Everybody who is told: the audience, and the publishers of the room's tracks."""
        return [*self._audience, *self._publishers]

    def apply(self, event: RoomEvent, at: float) -> int:
        """Take in an event that the log took at ``at``; if it is news hand it to every viewer, and say to how many."""
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

    def join(self, viewer: Viewer) -> None:
        """Count the viewer in: it is told what happens."""
        self._audience.add(viewer)

    def replay(self, viewer: Viewer, bounds: Bounds, after: int | None, last: int | None) -> Replay:
        """What the viewer is told first: everything since ``after``, or the ``last`` finals; all where both are None.

        What waits for the viewer is in there, so that nothing is missed and nothing told twice. ``bounds`` are those of
        the room's partition, to know what is no longer retained.
        """
        viewer.skip()
        retained = bounds._replace(earliest=max(bounds.earliest, self.history.earliest))
        if (gap := missing(after, retained)) is not None:
            after = -1
        blocks = self.history.replay(after=after, last=last, tracks=viewer.tracks)
        return Replay(gap, blocks, [partial for partial in self._partials.values() if viewer.wants(partial)])

    def forget(self, before: int) -> None:
        """Forget finals, and tracks that have ended, whose ``seq`` is less than ``before``."""
        for event in self.history.forget(before):
            self.state.forget(event.track, event.utterance)

    def leave(self, viewer: Viewer) -> None:
        """Count the viewer out."""
        self._audience.discard(viewer)

    def follow(self, viewer: Viewer) -> None:
        """Tell a publisher what comes, without counting it as audience."""
        self._publishers.add(viewer)

    def unfollow(self, viewer: Viewer) -> None:
        """Tell the publisher no more."""
        self._publishers.discard(viewer)


def missing(after: int | None, bounds: Bounds) -> Gap | None:
    """The gap between ``after`` and what is retained; None where nothing can be missing.

    A ``seq`` this log never gave comes from another one, of which nothing is here: the gap ends where this log begins,
    and begins no later.
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
