"""When a stream's samples were spoken. Stream time stops while a publisher is muted or away; the clock does not."""

from math import inf

LATE = 1.0
"""Seconds of delay from which on late audio counts as a pause. Shorter delays are network jitter."""

CATCHING_UP = 2.0
"""Seconds after a resume in which late audio is not a pause: the publisher sends audio that it buffered."""


class StreamTime:
    """Maps positions on the track to UTC time.

    ``origin`` is the UTC time of the track's first sample, in epoch seconds, moved forward by all pauses so far. If
    audio arrives earlier than ``origin`` allows, an assumed pause was only a delay, and ``origin`` moves back. It never
    moves back before the time at which the first sample arrived, so sending faster than real time does not move it.
    """

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self._first_origin = inf
        self._catching_up_until = -inf

    def resumed(self, wall: float) -> None:
        """Record that the publisher resumed at epoch second ``wall``. It may send buffered audio first."""
        self._catching_up_until = wall + CATCHING_UP

    def ahead(self, seconds: float, wall: float) -> float:
        """How many seconds before it could have been spoken the audio up to ``seconds`` arrived, at time ``wall``."""
        return max(0.0, self.origin + seconds - wall)

    def arrived(self, seconds: float, wall: float) -> None:
        """Record that all audio before ``seconds`` of the track had arrived at epoch second ``wall``."""
        late = wall - self.origin - seconds
        if self._first_origin == inf and wall >= self._catching_up_until:
            self.origin = self._first_origin = self.origin + max(0.0, late)
        elif late > LATE and wall >= self._catching_up_until:
            self.origin += late
        elif late < 0:
            self.origin = max(min(self._first_origin, self.origin), self.origin + late)
