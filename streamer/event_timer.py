"""A timer that costs nothing while it is only put off."""

import asyncio

EARLY = 0.001
"""Seconds by which it may ring early: what is due so soon is due."""


class EventTimer:
    """Sets ``event`` when the time that was last asked for has come, or before.

    Ringing early does no harm to who looks what is due, so that it need not be set anew where a time is put off, as it
    is by every frame of a stream.
    """

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> None:
        """Ring after ``seconds`` at the latest."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is None or at < self._timer.when():
            self.cancel()
            self._timer = loop.call_at(at, self._ring)

    def cancel(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._event.set()
