"""Where a new session takes up its track: utterance numbers and stream time go on from what was there."""

from dataclasses import dataclass

from captions.audio import SAMPLE_RATE, to_samples
from captions.transcript import RoomState


@dataclass(frozen=True, slots=True)
class Timeline:
    """``origin`` is the UTC time of the track's first sample (epoch seconds), ``position`` the samples up to now."""

    origin: float
    position: int
    next_utterance: int

    def resumed_at(self, wall: float) -> "Timeline":
        """The timeline of a session that begins at ``wall``: the pause counts as silence."""
        silence_included = round((wall - self.origin) * SAMPLE_RATE)
        return Timeline(self.origin, max(self.position, silence_included), self.next_utterance)


def known_timeline(state: RoomState, track: str) -> Timeline | None:
    """What the room's captions tell of the track's timeline; None where it has none yet."""
    last = state.last_utterance(track)
    if last is None:
        return None
    origin = last.started_at.timestamp() - last.start
    return Timeline(origin, to_samples(last.end), last.utterance + 1)
