"""A timer that sets an event, and that is cheap to postpone."""

import asyncio

EARLY = 0.001
"""The timer may fire this many seconds early: the caller treats what is due within this time as due."""


class EventTimer:
    """Sets ``event`` no later than the time that was requested last.

    The timer never moves to a later time, so it may fire early. The caller then checks what is due and requests the
    next time. This way a deadline that every audio frame postpones does not need a new timer for every frame.
    """

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event
        self._timer: asyncio.TimerHandle | None = None

    def fire_within(self, seconds: float) -> None:
        """Set the event after ``seconds`` at the latest."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is None or at < self._timer.when():
            self.cancel()
            self._timer = loop.call_at(at, self._fire)

    def cancel(self) -> None:
        """Stop the timer; the event is not set."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._event.set()
