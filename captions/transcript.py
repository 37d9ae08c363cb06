"""The state of a room, built from its events in any order of arrival."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from captions.caption import Version
from captions.deletion import Deletion, LastUtterance
from captions.messages import RoomEvent, TrackMessage


class Spoken(Protocol):
    """A caption in any form that tells when it was spoken."""

    @property
    def started_at(self) -> datetime | None:
        """When it was spoken, in UTC."""

    @property
    def track(self) -> str:
        """The name of its track."""

    @property
    def utterance(self) -> int | None:
        """The number of its utterance within the track."""


Form = TypeVar("Form", bound=Spoken)


def in_order_spoken(captions: Iterable[Form]) -> list[Form]:
    """Sort captions by their start, as in a transcript."""
    return sorted(captions, key=lambda caption: (caption.started_at, caption.track, caption.utterance))


class RoomState:
    """Decides whether an event is new: it keeps the highest version of each utterance and the last state of each track.

    An event with a lower or equal version is not new (docs/guarantees.md, 2). Only the versions of captions are kept,
    because a room may have thousands of captions.
    """

    def __init__(self) -> None:
        self._finals: dict[str, dict[int, Version]] = {}
        self._partials: dict[tuple[str, int], Version] = {}
        self._tracks: dict[str, TrackMessage] = {}
        self._last: dict[str, LastUtterance] = {}

    def apply(self, event: RoomEvent) -> bool:
        """Apply an event. Returns whether it was new."""
        if isinstance(event, TrackMessage):
            return self._apply_track(event)
        key = (event.track, event.utterance)
        finals = self._finals.setdefault(event.track, {})
        if (final := finals.get(event.utterance)) is not None:
            if not event.final or event.version <= final:
                return False
        elif not event.final and (partial := self._partials.get(key)) is not None and event.version <= partial:
            return False
        if event.final:
            self._partials.pop(key, None)
            finals[event.utterance] = event.version
        else:
            self._partials[key] = event.version
        self.count(event.track, LastUtterance.of(event))
        return True

    def count(self, track: str, utterance: LastUtterance) -> None:
        """Count an utterance of ``track``: later ones have higher numbers."""
        last = self._last.get(track)
        if last is None or utterance.number >= last.number:
            self._last[track] = utterance

    def _apply_track(self, event: TrackMessage) -> bool:
        held = self._tracks.get(event.track)
        if held is not None and (held.seq or 0) >= (event.seq or 0):
            return False
        self._tracks[event.track] = event
        return True

    def finals(self, track: str) -> set[int]:
        """The utterances of ``track`` that have a final, including empty ones."""
        return set(self._finals.get(track, ()))

    @property
    def tracks(self) -> list[TrackMessage]:
        """The last state of every track."""
        return list(self._tracks.values())

    def knows(self, track: str) -> bool:
        """Whether ``track`` has a state, or a last utterance."""
        return track in self._tracks or track in self._last

    @property
    def last_utterances(self) -> dict[str, LastUtterance]:
        """The last utterance of every known track, also of those without captions."""
        nothing = LastUtterance(-1, 0.0, 0.0)
        return {**dict.fromkeys(self._tracks, nothing), **self._last}

    def last_utterance(self, track: str) -> LastUtterance | None:
        """The utterance with the highest number on ``track``."""
        return self._last.get(track)

    def delete(self, deletion: Deletion) -> None:
        """Keep the numbering of tracks whose captions were deleted."""
        for track, last in deletion.tracks.items():
            self.count(track, last)

    def forget(self, track: str, utterance: int | None) -> None:
        """Drop a final. With None, drop an ended track and its last utterance number."""
        if utterance is None:
            self._tracks.pop(track, None)
            self._last.pop(track, None)
        else:
            self._finals.get(track, {}).pop(utterance, None)
