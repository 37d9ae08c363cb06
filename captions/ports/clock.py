"""The Clock port."""

from typing import Protocol


class Clock(Protocol):
    """Time, handed in so that tests can hold it."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    def wall(self) -> float:
        """UTC as epoch seconds."""
        ...
