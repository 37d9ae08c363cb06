import asyncio

import pytest

from captions.ports.log import Record
from captions.records import AUDIO, CAPTIONS
from livecaptions.logs import TRIM_INTERVAL, open_log
from livecaptions.settings.fields import Settings
from tests.support import LoopClock
from transport.memory import MemoryLog

pytestmark = pytest.mark.looptime


async def test_audio_leaves_memory_when_its_time_is_over_though_nobody_speaks_any_more() -> None:
    settings = Settings.model_validate({"audio_retention": 120.0, "captions_retention": 3600.0})
    async with open_log(settings, LoopClock()) as log:
        assert isinstance(log, MemoryLog)
        for _ in range(10):
            await log.append(AUDIO, Record("hall/main", bytes(6400)))
        await log.append(CAPTIONS, Record("hall", b"{}"))
        (audio,), (captions,) = log._topics[AUDIO], log._topics[CAPTIONS]
        await asyncio.sleep(100)
        assert audio.bytes > 64_000
        await asyncio.sleep(21 + TRIM_INTERVAL)
        assert audio.bytes == 0
        assert captions.bytes > 0
