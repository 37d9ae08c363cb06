"""When a stream's samples were spoken: it stands still while its publisher is muted or away, the clock does not."""

from math import inf

LATE = 1.0
"""Seconds that audio may come late before that counts as a pause: less is the network's jitter."""

CATCHING_UP = 2.0
"""Seconds after a resume in which audio that comes late is what the publisher kept meanwhile, not a pause."""


class StreamTime:
    """``origin`` is the UTC time, in epoch seconds, of the track's first sample, as if all pauses had been before it.

    Audio that comes sooner than thought takes a pause back, so that what was only held up is not late for ever; whoever
    sends faster than time passes stays where the first sample was.
    """

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self._least = inf
        self._catching_up_until = -inf

    def resumed(self, wall: float) -> None:
        """The publisher is back at epoch second ``wall``, and may first send what it kept."""
        self._catching_up_until = wall + CATCHING_UP

    def ahead(self, seconds: float, wall: float) -> float:
        """By how many seconds what is before ``seconds`` of the track came sooner than it could have been spoken."""
        return max(0.0, self.origin + seconds - wall)

    def arrived(self, seconds: float, wall: float) -> None:
        """Everything before ``seconds`` of the track had come at epoch second ``wall``."""
        late = wall - self.origin - seconds
        if self._least == inf and wall >= self._catching_up_until:
            self.origin = self._least = self.origin + max(0.0, late)
        elif late > LATE and wall >= self._catching_up_until:
            self.origin += late
        elif late < 0:
            self.origin = max(min(self._least, self.origin), self.origin + late)
