"""Background measurements of a running process: the event loop, the log, and sampled values."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from captions.errors import LogError
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.records import AUDIO, CAPTIONS

logger = structlog.get_logger(__name__)

# all in seconds
LAG_INTERVAL = 0.25
SAMPLE_INTERVAL = 1.0
LOG_INTERVAL = 5.0
LOG_TIMEOUT = 3.0


@asynccontextmanager
async def alongside(*watches: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the coroutines in the background while the context lasts. A failure is logged and affects nothing else."""
    tasks = [asyncio.create_task(watch) for watch in watches]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("watch_failed", watch=repr(task.get_coro()), exc_info=error)


async def watch_loop(probe: Probe) -> None:
    """Measure how late the event loop runs due callbacks."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_INTERVAL
        await asyncio.sleep(LAG_INTERVAL)
        probe.event_loop_lagged(max(0.0, loop.time() - due))


async def sample(observe: Callable[[], None]) -> None:
    """Call ``observe`` every second."""
    while True:
        observe()
        await asyncio.sleep(SAMPLE_INTERVAL)


class LogWatch:
    """Checks regularly that the log answers. A gateway is not ready for clients if the log does not answer."""

    def __init__(self, log: Log, probe: Probe) -> None:
        self._log = log
        self._probe = probe
        self.failures: list[str] = []

    async def run(self) -> None:
        """Watch until cancelled."""
        self._probe.audio_partitions(self._log.partitions(AUDIO))
        while True:
            await self._check()
            await asyncio.sleep(LOG_INTERVAL)

    async def _check(self) -> None:
        try:
            async with asyncio.timeout(LOG_TIMEOUT):
                await self._log.bounds(CAPTIONS, 0)
        except TimeoutError:
            self._probe.log_failed("read")
            self._fail(f"the log did not answer within {LOG_TIMEOUT:.0f} s")
        except LogError as error:
            self._fail(f"the log cannot be read: {error}")
        else:
            self.failures = []

    def _fail(self, failure: str) -> None:
        if not self.failures:
            logger.warning("log_unreachable", error=failure)
        self.failures = [failure]
