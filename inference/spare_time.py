"""Whether live work leaves time for other work."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class SpareTime:
    """Counts the live decodes that run. While each of the ``decoders`` is busy, others may wait for one."""

    def __init__(self, decoders: int) -> None:
        self.idle = decoders
        """Decoders that do nothing now."""
        self._changed = asyncio.Event()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One decoder is busy while the context lasts."""
        self.idle -= 1
        try:
            yield
        finally:
            self.idle += 1
            self._changed.set()

    async def wait(self) -> None:
        """Return when a decoder is idle, so that no live decode waits."""
        while self.idle <= 0:
            self._changed.clear()
            await self._changed.wait()
