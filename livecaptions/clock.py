"""The Clock port with the system's clocks."""

import time


class SystemClock:
    """The operating system's time."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start. The value never decreases."""
        return time.monotonic()

    def wall(self) -> float:
        """The current UTC time, as epoch seconds."""
        return time.time()
