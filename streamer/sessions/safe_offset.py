"""Which bytes of a stream may be acknowledged."""

from collections import deque
from collections.abc import Callable


class SafeOffset:
    """The offset before which every byte is represented in samples that are on the log, or never will be.

    ``begun`` bytes were dealt with before the sample at position ``origin``. ``offset_of`` tells how many bytes the
    first so many samples after it account for, where that can be known from the format alone: then the offset is
    exact, else it is that of the last piece that was decoded and is safe as a whole.
    """

    def __init__(self, begun: int, origin: int, offset_of: Callable[[int], int] | None) -> None:
        self.offset = begun
        self._begun = begun
        self._origin = origin
        self._offset_of = offset_of
        # where the format tells, the latest is enough: no acknowledgement goes beyond what was decoded
        self._checkpoints: deque[tuple[int, int]] = deque(maxlen=1 if offset_of is not None else None)

    def decoded(self, position: int, offset: int) -> None:
        """Every byte before ``offset``, counted from ``begun``, is in the samples before ``position``."""
        self._checkpoints.append((position, self._begun + offset))

    def at(self, position: int) -> int:
        """The offset that is safe once every sample before ``position`` is."""
        safe = max((offset for checked, offset in self._checkpoints if checked <= position), default=self.offset)
        if self._offset_of is not None and self._checkpoints:
            known = self._begun + self._offset_of(position - self._origin)
            safe = max(safe, min(self._checkpoints[-1][1], known))
        return max(safe, self.offset)

    def settle(self, position: int) -> None:
        """Every sample before ``position`` is safe."""
        self.offset = self.at(position)
        while self._checkpoints and self._checkpoints[0][0] <= position:
            self._checkpoints.popleft()

    def finish(self, offset: int) -> None:
        """The stream is over, and every byte of it is safe."""
        self.offset = offset
