"""The Clock port."""

from typing import Protocol


class Clock(Protocol):
    """A source of time. It is injected so that tests can control it."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start. The value never decreases."""
        ...

    def wall(self) -> float:
        """The current UTC time, as epoch seconds."""
        ...
