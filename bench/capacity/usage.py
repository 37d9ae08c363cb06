"""What processes use: CPU seconds and memory, of them and of all they started."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence

import psutil

from captions.errors import SetupError

SAMPLED_EVERY = 0.5
"""Seconds between two looks at memory."""


class Usage:
    """Of the processes ``pids`` and their children. Raises ``SetupError`` where one of them is not there."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.peak_memory = 0
        try:
            self._roots = [psutil.Process(pid) for pid in pids]
        except psutil.NoSuchProcess as error:
            raise SetupError(f"there is no process {error.pid}: --pid names those of the server") from error

    @property
    def known(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._roots)

    def cpu_seconds(self) -> float:
        """User and system time so far, of what runs now."""
        total = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> int:
        """Resident bytes now; pages that processes share count for each of them."""
        total = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep ``peak_memory`` while the context lasts."""

        async def look() -> None:
            while True:
                self.peak_memory = max(self.peak_memory, self.memory())
                await asyncio.sleep(SAMPLED_EVERY)

        task = asyncio.create_task(look())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _processes(self) -> Iterator[psutil.Process]:
        for root in self._roots:
            with contextlib.suppress(psutil.NoSuchProcess):
                yield root
                yield from root.children(recursive=True)


def keep_to_cores(pid: int, cores: int) -> None:
    """Let a process, and what it starts from now on, run on the first so many cores. Raises ``SetupError``."""
    process = psutil.Process(pid)
    try:
        allowed = process.cpu_affinity()
    except AttributeError as error:
        raise SetupError("--cores needs Linux or Windows: elsewhere processes cannot be kept to cores") from error
    if cores > len(allowed):
        raise SetupError(f"--cores {cores}: this machine has {len(allowed)}")
    process.cpu_affinity(allowed[:cores])
