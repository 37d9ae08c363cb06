"""``livecaptions bench capacity`` against a real server with real weights."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bench.capacity.goals import Goals
from tests.e2e.conftest import Server

pytestmark = pytest.mark.server

NO_GOALS = [flag for name in Goals.__slots__ for flag in ("--goal", f"{name}=none")]


async def capacity(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "livecaptions.cli", "bench", "capacity", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_streams_are_measured_at_a_running_server(server: Server, tmp_path: Path) -> None:
    figures, image = tmp_path / "figures.json", tmp_path / "capacity.png"
    code, out, err = await capacity(
        "--url", server.http, "--pid", str(server.process.pid), "--streams", "2", "--seconds", "8", *NO_GOALS,
        "--json", str(figures), "--plot", str(image),
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "livecaptions, 2 streams: held" in out or "invalid" in out
    (system,) = json.loads(figures.read_text())["systems"]
    (level,) = system["levels"]
    assert (level["streams"], level["failures"]) == (2, [])
    assert level["words"] > 20
    assert level["word_error_rate"] <= 0.1
    assert level["final"]["p50"] is not None
    assert level["cpu_seconds"] > 0
    assert level["memory"] > 2**26
    assert image.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--streams", "none"), "--streams 'none'"),
        (("--audio", "/nowhere"), "no folder at /nowhere"),
        (("--peer", "nobody"), "--peer nobody: known peers are whisperlive and whisperlivekit"),
        (("--pid", "1"), "--pid needs --url"),
        (("--url", "ftp://x"), "no server's address"),
        (("--goal", "finals=1"), "--goal 'finals=1'"),
        (("--json", "/nowhere/figures.json"), "its folder does not exist"),
    ],
)
async def test_what_cannot_be_measured_is_refused_at_once(arguments: tuple[str, ...], says: str) -> None:
    code, out, err = await capacity(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("livecaptions: ")
    assert says in err


async def test_a_server_that_is_not_there_fails_the_stream(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    code, _, _ = await capacity(
        "--url", "http://127.0.0.1:9", "--streams", "1,2", "--seconds", "5", "--json", str(figures)
    )
    assert code == 0
    (system,) = json.loads(figures.read_text())["systems"]
    (level,) = system["levels"]
    assert level["failures"][0].startswith("UnreachableError: cannot reach http://127.0.0.1:9")
    assert level["broken"][-1].startswith("1 of 1 streams failed: UnreachableError")
    assert (system["best"], level["cpu_seconds"], level["final"]["p50"]) == (None, None, None)
