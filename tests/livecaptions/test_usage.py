"""Usage in a file: it survives a restart, and a crash in the middle of a write."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from captions.errors import SetupError
from captions.ports.usage import UsageLedger
from livecaptions.settings.fields import Settings
from livecaptions.usage import check_usage, usage_in_file, usage_of
from streamer.usage import WRITE_INTERVAL, UsageOnLog
from tests.streamer.usage_contract import Calendar, UsageContract
from tests.support import LoopClock, memory_log


class TestUsageInFile(UsageContract):
    @pytest.fixture(autouse=True)
    def in_folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "usage.json"

    def open(self) -> AbstractAsyncContextManager[UsageLedger]:
        return usage_in_file(self.path, self.calendar)


@pytest.mark.looptime
async def test_the_file_is_written_every_few_seconds_and_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "usage.json"
    async with usage_in_file(path, LoopClock()) as usage:
        usage.add("key:a", 1)
        assert not path.exists()
        await asyncio.sleep(WRITE_INTERVAL + 1)
        (month,) = json.loads(path.read_text()).values()
        assert month == {"key:a": 1}
        (tmp_path / "usage.json.new").write_text("half a wri")  # left by a process that was killed while it wrote
        usage.add("key:a", 1)
    (month,) = json.loads(path.read_text()).values()
    assert month == {"key:a": 2}
    assert not (tmp_path / "usage.json.new").exists()


@pytest.mark.looptime
async def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    async with usage_in_file(folder / "usage.json", LoopClock()) as usage:
        usage.add("key:a", 1)
        await asyncio.sleep(WRITE_INTERVAL + 1)
        folder.mkdir()
        await asyncio.sleep(WRITE_INTERVAL + 1)
        assert (folder / "usage.json").exists()
        assert usage.used("key:a") == 1


@pytest.mark.parametrize("content", ["{", "[]", '{"2026-12": 5}', '{"2026-12": {"key:a": "much"}}', "\x00"])
def test_a_file_that_is_something_else_is_an_error_at_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "usage.json"
    path.write_text(content)
    with pytest.raises(SetupError, match=r"usage.json is not what this server writes"):
        check_usage(Settings.model_validate({"usage_file": path}))


def test_over_kafka_a_file_is_an_error(tmp_path: Path) -> None:
    settings = Settings.model_validate({"usage_file": tmp_path / "usage.json", "transport": "kafka://localhost"})
    with pytest.raises(SetupError, match="topic usage"):
        check_usage(settings)


async def test_settings_choose_where_usage_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "usage.json"
    for given in ({}, {"usage_file": path}):
        async with usage_of(Settings.model_validate(given), memory_log(), Calendar()) as usage:
            usage.add("key:a", 1)
            assert not isinstance(usage, UsageOnLog)
        assert path.exists() == bool(given)
