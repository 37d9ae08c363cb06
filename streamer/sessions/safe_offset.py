"""Which bytes of a stream may be acknowledged."""

from collections import deque
from collections.abc import Callable


class SafeOffset:
    """Computes the safe ``offset``: every byte before it is on the log as samples, or was silence.

    The first ``begun`` bytes are safe from the start; the sample at position ``origin`` follows them. ``offset_of``
    converts a number of samples after ``origin`` to bytes, if the format determines it. Then the safe offset is exact.
    Otherwise it is the offset of the last decoded piece that is safe as a whole.
    """

    def __init__(self, begun: int, origin: int, offset_of: Callable[[int], int] | None) -> None:
        self.offset = begun
        self._begun = begun
        self._origin = origin
        self._offset_of = offset_of
        # with offset_of the latest checkpoint is enough: it only limits offsets to what was decoded
        self._checkpoints: deque[tuple[int, int]] = deque(maxlen=1 if offset_of is not None else None)

    def decoded(self, position: int, offset: int) -> None:
        """Record that the bytes before ``offset``, counted from ``begun``, are in the samples before ``position``."""
        self._checkpoints.append((position, self._begun + offset))

    def at(self, position: int) -> int:
        """The offset that becomes safe when all samples before ``position`` are."""
        safe = max((offset for decoded, offset in self._checkpoints if decoded <= position), default=self.offset)
        if self._offset_of is not None and self._checkpoints:
            known = self._begun + self._offset_of(position - self._origin)
            safe = max(safe, min(self._checkpoints[-1][1], known))
        return max(safe, self.offset)

    def settle(self, position: int) -> None:
        """Record that all samples before ``position`` are safe."""
        self.offset = self.at(position)
        while self._checkpoints and self._checkpoints[0][0] <= position:
            self._checkpoints.popleft()

    def finish(self, offset: int) -> None:
        """Record that the stream ended at ``offset`` and that all its bytes are safe."""
        self.offset = offset
