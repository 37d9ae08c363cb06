"""Late viewers hear a room's history in turns, so that a hall that comes at once keeps nobody waiting who is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_A_TIME = 8
"""Viewers who are told history at a time: each takes about 0.1 ms of every round of the event loop."""

LONGEST_TURN = 0.2
"""Seconds: whose line is slower than that goes on beside the others, waiting for their line more than for us."""


class HistoryTurns:
    """HistoryTurns come in the order in which they were asked for."""

    def __init__(self, at_a_time: int = AT_A_TIME, longest: float = LONGEST_TURN) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        self._longest = longest

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, which others get when the context is left or has lasted too long."""
        await self._free.acquire()
        ends = asyncio.get_running_loop().call_later(self._longest, self._free.release)
        try:
            yield
        finally:
            if ends.when() > asyncio.get_running_loop().time():
                ends.cancel()
                self._free.release()
