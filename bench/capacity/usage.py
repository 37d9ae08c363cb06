"""CPU time and memory of processes and their children."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence

import psutil

from captions.errors import SetupError

SAMPLED_EVERY = 0.5
"""Seconds between two samples of memory."""


class Usage:
    """The usage of the processes ``pids`` and their children. Raises ``SetupError`` if one does not exist."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.peak_memory = 0
        try:
            self._roots = [psutil.Process(pid) for pid in pids]
        except psutil.NoSuchProcess as error:
            raise SetupError(f"there is no process {error.pid}: --pid takes the processes of the server") from error

    @property
    def known(self) -> bool:
        """Whether there are processes to measure."""
        return bool(self._roots)

    def cpu_seconds(self) -> float:
        """The user and system time so far of the processes that run now."""
        total = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> int:
        """The resident memory now, in bytes. Shared pages count once per process."""
        total = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Update ``peak_memory`` while the context lasts."""

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
    """Limit a process and its future children to the first ``cores`` cores. Raises ``SetupError``."""
    process = psutil.Process(pid)
    try:
        allowed = process.cpu_affinity()
    except AttributeError as error:
        raise SetupError("--cores works only on Linux and Windows") from error
    if cores > len(allowed):
        raise SetupError(f"--cores {cores}: this machine has only {len(allowed)}")
    process.cpu_affinity(allowed[:cores])
