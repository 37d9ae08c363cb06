"""What a process watches of itself, in virtual time."""

import asyncio

import pytest
from structlog.testing import capture_logs

from captions.errors import LogError
from captions.ports.log import Bounds
from captions.ports.probe import Probe
from livecaptions.observation import LOG_INTERVAL, LOG_TIMEOUT, LogWatch, alongside, sample, watch_loop
from tests.support import memory_log

pytestmark = pytest.mark.looptime


class Recording(Probe):
    def __init__(self) -> None:
        self.lags: list[float] = []
        self.failed: list[str] = []
        self.partitions: list[int] = []

    def event_loop_lagged(self, lag: float) -> None:
        self.lags.append(lag)

    def log_failed(self, operation: str) -> None:
        self.failed.append(operation)

    def audio_partitions(self, count: int) -> None:
        self.partitions.append(count)


async def test_a_loop_in_time_lags_nothing() -> None:
    probe = Recording()
    async with alongside(watch_loop(probe)):
        await asyncio.sleep(3.1)
    assert probe.lags == pytest.approx([0.0] * 12, abs=0.001)


async def test_a_loop_that_is_held_up_lags_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    probe, loop = Recording(), asyncio.get_running_loop()
    sleep = asyncio.sleep

    async def held_up(delay: float) -> None:
        await sleep(delay + 0.5)  # something else had the loop meanwhile

    watching = asyncio.create_task(watch_loop(probe))
    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "sleep", held_up)
        began = loop.time()
        while loop.time() < began + 2.9:
            await sleep(0.1)
    watching.cancel()
    assert probe.lags[:3] == pytest.approx([0.5] * 3, abs=0.001)


async def test_a_sample_is_taken_every_second() -> None:
    seen: list[float] = []
    loop = asyncio.get_running_loop()
    async with alongside(sample(lambda: seen.append(loop.time()))):
        await asyncio.sleep(3.5)
    assert seen == pytest.approx([0, 1, 2, 3], abs=0.01)
    await asyncio.sleep(5)
    assert len(seen) == 4


async def test_a_watch_that_fails_is_logged_and_ends_nothing() -> None:
    seen: list[int] = []

    async def breaks() -> None:
        raise RuntimeError("on purpose")

    with capture_logs() as logged:
        async with alongside(breaks(), sample(lambda: seen.append(1))):
            await asyncio.sleep(2.5)
    assert len(seen) == 3
    assert [line["event"] for line in logged] == ["watch_failed"]
    assert "breaks" in logged[0]["watch"]


async def test_the_log_is_asked_and_its_silence_told(monkeypatch: pytest.MonkeyPatch) -> None:
    log, probe = memory_log(partitions=4), Recording()
    watch = LogWatch(log, probe)

    async def silent(topic: str, partition: int) -> Bounds:
        await asyncio.sleep(3600)
        raise LogError(f"{topic} {partition} said nothing for an hour")

    async def refuses(topic: str, partition: int) -> Bounds:
        raise LogError(f"{topic} {partition} is gone")

    async with alongside(watch.run()):
        await asyncio.sleep(1)
        assert (watch.failures, probe.partitions) == ([], [4])
        with monkeypatch.context() as patch:
            patch.setattr(log, "bounds", silent)
            await asyncio.sleep(LOG_INTERVAL + LOG_TIMEOUT)
            assert watch.failures == ["the log did not answer within 3 s"]
            assert probe.failed == ["read"]
            patch.setattr(log, "bounds", refuses)
            await asyncio.sleep(LOG_INTERVAL + LOG_TIMEOUT)
            assert watch.failures == ["the log cannot be read: captions 0 is gone"]
        await asyncio.sleep(LOG_INTERVAL + LOG_TIMEOUT)
        assert watch.failures == []
