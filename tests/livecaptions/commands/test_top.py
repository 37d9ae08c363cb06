"""``top`` as a user runs it: in a terminal, and in scripts."""

import asyncio
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from livecaptions.processes import free_ports
from tests.livecaptions.cli import livecaptions
from tests.livecaptions.top.installation import Page, served

pytestmark = pytest.mark.server

TIMEOUT = 120.0
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
"""A terminal's second screen."""


def page() -> Page:
    made = Page()
    made.set("livecaptions_sessions", 3)
    made.count("livecaptions_audio_logged_seconds", 5)
    return made


async def test_once_as_json_is_one_line_for_scripts() -> None:
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    async with served(page()) as first, served(page()) as second:
        code, out, err = await livecaptions(
            "top",
            "--once",
            "--json",
            "--interval",
            "0.2",
            "--url",
            f"{first},{second}",
            "--url",
            nobody,
            within=TIMEOUT,
        )
    (line,) = out.splitlines()
    figures = json.loads(line)
    assert (code, err) == (0, "")
    assert figures["sessions"] == 6
    assert figures["speech_share"] == 0
    assert figures["word_shown_p50_seconds"] is None
    assert [(target["url"], target["error"] is None) for target in figures["targets"]] == [
        (first, True),
        (second, True),
        (nobody, False),
    ]
    assert figures["unreachable"] == 1


async def test_once_prints_the_table() -> None:
    async with served(page()) as url:
        code, out, err = await livecaptions("top", "--once", "--interval", "0.2", "--url", url, within=TIMEOUT)
    assert (code, err) == (0, "")
    assert "1 of 1 up" in out
    assert "speakers" in out
    assert "\x1b" not in out


async def test_once_fails_where_nobody_answers_and_says_who() -> None:
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    code, out, err = await livecaptions("top", "--once", "--interval", "0.2", "--url", nobody, within=TIMEOUT)
    assert code == 1
    assert "unreachable" in out
    assert "none of the targets answers" in err
    assert "Traceback" not in err


async def test_what_is_no_address_is_the_operators_to_mend() -> None:
    code, _, err = await livecaptions("top", "--url", "ftp://x", within=TIMEOUT)
    assert code == 2
    assert "no server's address" in err


@dataclass
class Terminal:
    """A terminal and what runs in it."""

    process: Process
    descriptor: int
    shown: bytes = b""

    async def until(self, wanted: bytes, within: float = TIMEOUT) -> None:
        async with asyncio.timeout(within):
            while wanted not in self.shown:
                await self._read()

    async def rest(self) -> int:
        """Read on, lest it waits to write; its exit code."""
        async with asyncio.timeout(TIMEOUT):
            while await self._read():
                pass
            return await self.process.wait()

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    async def _read(self) -> bool:
        try:
            found = os.read(self.descriptor, 65536)
        except BlockingIOError:
            await asyncio.sleep(0.02)
            return self.process.returncode is None
        except OSError:  # nobody holds the other end any more
            return False
        self.shown += found
        return bool(found)


@asynccontextmanager
async def terminal(*arguments: str) -> AsyncIterator[Terminal]:
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    os.set_blocking(outer, False)
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    environment.pop("LINES", None)
    command = (sys.executable, "-m", "livecaptions.cli", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=inner, stdout=inner, stderr=inner, env=environment)
    try:
        yield Terminal(process, outer)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(inner)
        os.close(outer)


@pytest.mark.parametrize("how", ["q", "interrupt"])
async def test_it_leaves_the_terminal_as_it_was(how: str) -> None:
    async with served(page()) as url, terminal("top", "--interval", "0.2", "--url", url) as screen:
        before = termios.tcgetattr(screen.descriptor)
        await screen.until(b"1 of 1 up")
        assert termios.tcgetattr(screen.descriptor) != before
        if how == "q":
            os.write(screen.descriptor, b"xq")
        else:
            screen.process.send_signal(signal.SIGINT)
        assert await screen.rest() == 0
        assert termios.tcgetattr(screen.descriptor) == before
    assert screen.shown.count(ENTER) == screen.shown.count(LEAVE) == 1
    assert b"Traceback" not in screen.shown


async def test_it_follows_the_terminals_size_at_once() -> None:
    async with served(page()) as url, terminal("top", "--interval", "3600", "--url", url) as screen:
        await screen.until(b"speakers")
        screen.shown = b""
        screen.resize(30, 61)
        await screen.until(b"speakers")
        os.write(screen.descriptor, b"q")
        assert await screen.rest() == 0
