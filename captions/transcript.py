"""A room's captions and tracks, folded from its events in whatever order they arrive."""

from collections.abc import Iterator

from captions.messages import CaptionMessage, RoomEvent, TrackMessage


class RoomState:
    """What is known of a room: for each utterance the highest version heard, for each track its last state.

    Events of a lower or the same version than what is held are no news (DESIGN, guarantee 2).
    """

    def __init__(self) -> None:
        self._captions: dict[tuple[str, int], CaptionMessage] = {}
        self._partials: dict[tuple[str, int], CaptionMessage] = {}
        self._tracks: dict[str, TrackMessage] = {}

    def apply(self, event: RoomEvent) -> bool:
        """Take the event in; True if it was news."""
        if isinstance(event, TrackMessage):
            return self._apply_track(event)
        key = (event.track, event.utterance)
        held = self._captions.get(key) or self._partials.get(key)
        if held is not None and event.version <= held.version:
            return False
        if not event.final:
            if key in self._captions:
                return False
            self._partials[key] = event
            return True
        self._partials.pop(key, None)
        self._captions.pop(key, None)  # an update moves to the end: finals stay in the order of their seq
        self._captions[key] = event
        return True

    def _apply_track(self, event: TrackMessage) -> bool:
        held = self._tracks.get(event.track)
        if held is not None and (held.seq or 0) >= (event.seq or 0):
            return False
        self._tracks[event.track] = event
        return True

    @property
    def finals(self) -> list[CaptionMessage]:
        """Every final, withdrawn ones (empty text) too, in the order of their ``seq``."""
        return list(self._captions.values())

    @property
    def partials(self) -> list[CaptionMessage]:
        """The live partials."""
        return list(self._partials.values())

    @property
    def tracks(self) -> list[TrackMessage]:
        """The last state of every track."""
        return list(self._tracks.values())

    def history(self) -> Iterator[RoomEvent]:
        """Finals and track states in the order of their ``seq``."""
        events: list[RoomEvent] = [*self._captions.values(), *self._tracks.values()]
        yield from sorted(events, key=lambda event: event.seq or 0)

    def transcript(self) -> list[CaptionMessage]:
        """The finals that hold text, in the order they were spoken."""
        spoken = (caption for caption in self._captions.values() if caption.text)
        return sorted(spoken, key=lambda caption: (caption.started_at, caption.track, caption.utterance))

    def last_utterance(self, track: str) -> CaptionMessage | None:
        """The caption of the highest utterance number on ``track``."""
        captions = (c for held in (self._captions, self._partials) for c in held.values() if c.track == track)
        return max(captions, key=lambda caption: caption.utterance, default=None)
