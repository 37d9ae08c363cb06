"""Limits how many viewers receive a room's history at the same time, so that late viewers do not delay live ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CONCURRENT = 8
"""Viewers that receive history at the same time. Each takes about 0.1 ms of every iteration of the event loop."""

LONGEST_TURN = 0.2
"""Seconds after which a turn passes to the next viewer. A viewer that needs longer waits mostly for its own network,
so it may continue beside the others."""


class HistoryTurns:
    """Gives viewers turns in the order of their requests, at most ``concurrent`` at the same time.

    After ``longest`` seconds a turn no longer counts, and the next viewer gets one.
    """

    def __init__(self, concurrent: int = CONCURRENT, longest: float = LONGEST_TURN) -> None:
        self._free = asyncio.Semaphore(concurrent)
        self._longest = longest

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn. It ends when the context exits or after the longest turn, whichever is first."""
        await self._free.acquire()
        ends = asyncio.get_running_loop().call_later(self._longest, self._free.release)
        try:
            yield
        finally:
            if ends.when() > asyncio.get_running_loop().time():
                ends.cancel()
                self._free.release()
