import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from livecaptions.terminal.files import pipe_frames

AUDIO = os.urandom(100_000)


async def test_a_file_on_standard_input_is_read(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(AUDIO)
    with path.open("rb") as file:
        assert b"".join([frame async for frame in pipe_frames(file)]) == AUDIO


async def test_a_pipe_is_read_until_its_end() -> None:
    read, write = os.pipe()
    writing = asyncio.create_task(asyncio.to_thread(written, write))
    assert b"".join([frame async for frame in pipe_frames(os.fdopen(read, "rb"))]) == AUDIO
    await writing


def written(descriptor: int) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(AUDIO)


async def test_nothing_is_nothing() -> None:
    with os.fdopen(os.open(os.devnull, os.O_RDONLY), "rb") as null:
        assert [frame async for frame in pipe_frames(null)] == []


@pytest.mark.looptime
async def test_a_recording_is_slowed_to_speech(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(AUDIO)
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    with path.open("rb") as file:
        async for frame in pipe_frames(file, bytes_per_second=32_000):
            assert loop.time() - began == pytest.approx(sent / 32_000, abs=0.001)
            sent += len(frame)
    assert sent == len(AUDIO)


@pytest.mark.looptime
async def test_a_microphone_is_not_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    came: list[float] = []

    async def spoken(_: IO[bytes]) -> object:
        for pause in (0.0, 0.1, 0.1, 7.0, 0.1):
            await asyncio.sleep(pause)
            came.append(loop.time())
            yield bytes(3200)

    source: Callable[[IO[bytes]], object] = spoken
    monkeypatch.setattr("livecaptions.terminal.files._chunks", source)
    got = [loop.time() async for _ in pipe_frames(bytes_per_second=32_000)]
    assert got == pytest.approx(came, abs=0.001)
