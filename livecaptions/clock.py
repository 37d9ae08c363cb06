"""The Clock port on the machine's clocks."""

import time


class SystemClock:
    """Time as the operating system tells it."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        return time.monotonic()

    def wall(self) -> float:
        """UTC as epoch seconds."""
        return time.time()
