"""Where a new session continues its track: utterance numbers and stream time follow those of earlier sessions."""

from dataclasses import dataclass
from typing import NamedTuple

from captions.audio import SAMPLE_RATE, to_samples
from captions.ports.clock import Clock
from captions.track import TrackId
from captions.transcript import RoomState
from streamer.sessions.admission import busy_elsewhere
from streamer.sessions.session import Session
from streamer.sessions.takeover import Takeover

MOST_ENDED = 10_000
"""Tracks whose last session is remembered after it ended. The oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A track's position in time.

    ``origin`` is the UTC time of the track's first sample, in epoch seconds. ``position`` is the number of samples on
    the track so far.
    """

    origin: float
    position: int
    next_utterance: int

    def resumed_at(self, wall: float) -> "Timeline":
        """The timeline of a session that begins at epoch second ``wall``. The pause before it counts as silence."""
        silence_included = round((wall - self.origin) * SAMPLE_RATE)
        return Timeline(self.origin, max(self.position, silence_included), self.next_utterance)


class Ended(NamedTuple):
    """The last session of a track that ended at this gateway, and the timeline that it left."""

    session: str
    timeline: Timeline


class Timelines:
    """The timelines of tracks, from ended sessions, a room's captions and the log."""

    def __init__(self, clock: Clock, takeover: Takeover) -> None:
        self._clock = clock
        self._takeover = takeover
        self._ended: dict[TrackId, Ended] = {}

    def remember(self, session: Session) -> None:
        """Remember where an ended session left its track. The room's captions do not tell it if nobody spoke."""
        self._ended.pop(session.track, None)
        listener = session.listener
        timeline = Timeline(session.settings.origin, listener.position, listener.next_utterance)
        self._ended[session.track] = Ended(session.id, timeline)
        if len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]

    async def next(self, track: TrackId, state: RoomState) -> Timeline:
        """Where a new session of the track begins. ``state`` is its room's.

        Raises ``TrackBusy`` if another gateway holds the track, and ``LogError``.
        """
        progress = None
        if state.knows(track.name):
            progress = await self._takeover.progress(track)
        ended = self._ended.get(track)
        known = [ended.timeline if ended is not None else None, timeline_of(state, track.name)]
        if progress is not None:
            ended_here = ended is not None and ended.session == progress.settings.session
            if self._takeover.holds(progress) and not ended_here:
                raise busy_elsewhere(track)
            known.append(Timeline(progress.settings.origin, progress.position, progress.next_utterance))
        latest = max((t for t in known if t is not None), key=lambda t: t.next_utterance, default=None)
        wall = self._clock.wall()
        return latest.resumed_at(wall) if latest is not None else Timeline(wall, 0, 0)


def timeline_of(state: RoomState, track: str) -> Timeline | None:
    """The track's timeline as its room's captions tell it; None if there are no captions of the track."""
    last = state.last_utterance(track)
    if last is None or last.number < 0:
        return None
    return Timeline(last.origin, to_samples(last.end), last.number + 1)
