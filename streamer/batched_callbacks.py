"""Much work in small portions, so that a full hall keeps no publisher waiting."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

Callback = Callable[[], object]


class BatchedCallbacks:
    """Callbacks that are called in order, ``at_a_time`` of them in each round of the event loop."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._left = at_a_time
        self._goes_on = False
        self._waiting: deque[Callback] = deque()

    def add(self, callbacks: Iterable[Callback]) -> None:
        """Call these after whatever waits already; at once as far as this round allows."""
        self._waiting.extend(callbacks)
        if not self._goes_on:
            self._goes_on = True
            asyncio.get_running_loop().call_soon(self._next)
        self._call_some()

    def _next(self) -> None:
        self._left = self._at_a_time
        self._goes_on = bool(self._waiting)
        if self._goes_on:
            asyncio.get_running_loop().call_soon(self._next)
            self._call_some()

    def _call_some(self) -> None:
        while self._left and self._waiting:
            self._left -= 1
            self._waiting.popleft()()
