"""Viewers are woken a few at a time, so that a full hall keeps no publisher waiting."""

import asyncio
from collections import deque
from collections.abc import Iterable

from streamer.rooms.viewer import Viewer

AT_A_TIME = 16
"""Viewers woken before the event loop looks after everybody else: a message to one takes about 0.1 ms."""


class FanOut:
    """The queue of those who have something to read, of all rooms of a gateway."""

    def __init__(self) -> None:
        self._waiting: deque[Viewer] = deque()

    def wake(self, viewers: Iterable[Viewer]) -> None:
        """Wake these after whoever waits already."""
        idle = not self._waiting
        self._waiting.extend(viewers)
        if idle:
            self._wake_some()

    def _wake_some(self) -> None:
        for _ in range(min(AT_A_TIME, len(self._waiting))):
            self._waiting.popleft().wake.set()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._wake_some)
