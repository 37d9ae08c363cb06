"""Callbacks that run a few per iteration of the event loop, so that a large room does not block publishers."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

Callback = Callable[[], object]


class BatchedCallbacks:
    """Runs callbacks in order, at most ``per_iteration`` of them in each iteration of the event loop."""

    def __init__(self, per_iteration: int) -> None:
        self._per_iteration = per_iteration
        self._left = per_iteration
        self._scheduled = False
        self._waiting: deque[Callback] = deque()

    def add(self, callbacks: Iterable[Callback]) -> None:
        """Run these callbacks after those that wait already; immediately if this iteration has capacity left."""
        self._waiting.extend(callbacks)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next_iteration)
        self._run_some()

    def _next_iteration(self) -> None:
        self._left = self._per_iteration
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            asyncio.get_running_loop().call_soon(self._next_iteration)
            self._run_some()

    def _run_some(self) -> None:
        while self._left and self._waiting:
            self._left -= 1
            self._waiting.popleft()()
