"""Commands that are stopped: what was said is still captioned, and nothing is left running."""

import asyncio
import json
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from captions.audio import SAMPLE_RATE, to_bytes
from livecaptions.talk import talk_path
from tests.streamer.system import running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(1, words=4)


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[Process]:
    command = (sys.executable, "-m", "livecaptions.cli", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(process: Process, pattern: str) -> re.Match[str]:
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"{pattern} was not printed")


async def test_an_interrupted_send_waits_for_its_last_captions() -> None:
    async with (
        running(SCRIPT) as system,
        started("send", "-", "--room", "hall", "--url", system.http, "--jsonl", "--fast") as process,
    ):
        assert process.stdin is not None
        process.stdin.write(to_bytes(PCM[:-SAMPLE_RATE]))  # no pause that ends the utterance before the signal
        await line_with(process, '"caption"')
        process.send_signal(signal.SIGINT)  # standard input stays open
        assert process.stdout is not None
        events = [json.loads(line) async for line in process.stdout]
        assert await process.wait() == 130
    assert [event["text"] for event in events if event.get("final")] == [" ".join(word.text for word in SCRIPT)]
    assert events[-1]["type"] == "done"


async def test_a_second_interrupt_stops_everything() -> None:
    async with (
        running(SCRIPT, working=False) as system,
        started("send", "-", "--room", "hall", "--url", system.http, "--jsonl", "--fast") as process,
    ):
        assert process.stdin is not None
        process.stdin.write(to_bytes(PCM))
        await line_with(process, '"ack"')
        process.send_signal(signal.SIGINT)
        (held,) = system.gateway.sessions.held
        await held.session.until_written()  # the end has arrived
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130


async def test_a_demo_that_is_stopped_takes_its_server_along() -> None:
    async with started("demo") as process:
        port = int((await line_with(process, r"localhost:(\d+)/r/demo"))[1])
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 128 + signal.SIGTERM
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_demo_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with started("demo", "--port", str(taken.getsockname()[1])) as process:
            _, error = await process.communicate()
            assert process.returncode == 2
    assert b"cannot listen on port" in error


async def test_a_track_that_is_taken_is_said_in_a_line() -> None:
    async with running(SCRIPT) as system:
        flags = ("--room", "hall", "--url", system.http)
        async with started("send", "-", *flags, "--jsonl") as first:
            await line_with(first, '"ready"')
            async with started("send", str(talk_path()), *flags) as second:
                _, error = await second.communicate()
                assert second.returncode == 1
    assert error.startswith(b"livecaptions: track_busy: ")
    assert error.count(b"\n") == 1
