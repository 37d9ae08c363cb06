"""Limits how many viewers receive a room's history at the same time, so that late viewers do not delay live ones."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

CONCURRENT = 8
"""Viewers that receive history at the same time. Each takes about 0.1 ms of every iteration of the event loop."""

LONGEST_TURN = 0.05
"""Seconds after which a viewer goes to the end of the queue, so that long histories do not delay short ones."""


class Turn:
    """One viewer's turns. It has one from ``begin`` until ``end``, or until it has to wait for its peer."""

    def __init__(self, free: asyncio.Semaphore, longest: float) -> None:
        self._free = free
        self._longest = longest
        self._since: float | None = None

    async def begin(self) -> None:
        """Go on with the turn, or wait for one. After the longest turn, the next viewer comes first."""
        loop = asyncio.get_running_loop()
        if self._since is not None and loop.time() - self._since < self._longest:
            return
        self.end()
        await self._free.acquire()
        self._since = loop.time()

    def end(self) -> None:
        """End the turn, if the viewer has one: the next viewer gets it."""
        if self._since is not None:
            self._since = None
            self._free.release()

    @contextmanager
    def unless_waiting(self) -> Iterator[None]:
        """Keep the turn while the context lasts, unless it waits: then the turn ends at once."""
        ends = asyncio.get_running_loop().call_soon(self.end)
        try:
            yield
        finally:
            ends.cancel()


class HistoryTurns:
    """Gives viewers turns in the order of their requests, at most ``concurrent`` at the same time.

    A viewer whose peer does not read has no turn. One that has had ``longest`` seconds goes to the end of the queue.
    """

    def __init__(self, concurrent: int = CONCURRENT, longest: float = LONGEST_TURN) -> None:
        self._free = asyncio.Semaphore(concurrent)
        self._longest = longest

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """The turns of one viewer, which end with the context at the latest."""
        turn = Turn(self._free, self._longest)
        try:
            yield turn
        finally:
            turn.end()
