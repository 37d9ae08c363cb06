"""A room: its state, and the viewers to whom its events are fanned out."""

from dataclasses import dataclass

from captions.messages import CaptionMessage, Gap, RoomEvent
from captions.ports.log import Bounds
from captions.transcript import RoomState
from streamer.rooms.event import Encoded
from streamer.rooms.fan_out import FanOut
from streamer.rooms.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Past:
    """What a viewer is told before it is live: whether something is missing, and the events so far."""

    gap: Gap | None
    events: list[Encoded]


class Room:
    """One room of this gateway."""

    def __init__(self, name: str, fan_out: FanOut) -> None:
        self.name = name
        self._fan_out = fan_out
        self.state = RoomState()
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

    def tell(self, event: RoomEvent) -> int:
        """Take an event in and, if it is news, hand it to every viewer; to how many it was handed."""
        if not self.state.apply(event):
            return 0
        encoded = Encoded(event)
        for viewer in self._publishers:
            if viewer.put(encoded):
                viewer.wake.set()
        self._fan_out.wake([viewer for viewer in self._audience if viewer.put(encoded)])
        return len(self._audience) + len(self._publishers)

    def join(self, viewer: Viewer, after: int | None, bounds: Bounds) -> Past:
        """Count the viewer in and return its past, in one step: nothing is missed and nothing told twice.

        ``bounds`` are those of the room's partition, to know what is no longer retained.
        """
        self._audience.add(viewer)
        gap = missing(after, bounds)
        since = after if after is not None and gap is None else -1
        kept = [event for event in self.state.history() if (event.seq or 0) > since]
        if after is None:
            kept = [event for event in kept if not (isinstance(event, CaptionMessage) and not event.text)]
        events = [Encoded(event) for event in (*kept, *self.state.partials)]
        return Past(gap, [encoded for encoded in events if viewer.wants(encoded)])

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
