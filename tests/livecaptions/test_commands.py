"""The commands as a user runs them, against a system in this process or a server of their own."""

import asyncio
import json
import shlex
import sys
from pathlib import Path

import av
import pytest

from captions.audio import to_bytes
from monitoring.endpoints import health, metrics_endpoint
from tests.livecaptions.cli import livecaptions
from tests.streamer.system import running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(2, words=4)
SAID = [" ".join(word.text for word in SCRIPT[:4]), " ".join(word.text for word in SCRIPT[4:])]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(PCM.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return path


@pytest.mark.parametrize("flags", ["", "--jsonl"])
async def test_who_stops_reading_the_output_is_no_fault(recording: Path, flags: str) -> None:
    async with running(SCRIPT) as system:
        sending = f"send {shlex.quote(str(recording))} --room hall --fast --url {system.http} {flags}"
        watching = f"watch hall --url {system.http} {flags}"
        for command in ("check-config", sending, watching):
            line = f"{shlex.quote(sys.executable)} -m livecaptions.cli {command} | true"
            process = await asyncio.create_subprocess_shell(line, stderr=asyncio.subprocess.PIPE)
            _, err = await process.communicate()
            assert err == b"", command


async def test_a_file_is_sent_and_its_captions_shown(recording: Path) -> None:
    async with running(SCRIPT) as system:
        code, out, err = await livecaptions("send", str(recording), "--room", "hall", "--url", system.http, "--fast")
    assert (code, err) == (0, "")
    assert out.splitlines() == SAID


async def test_jsonl_is_every_message_with_its_arrival(recording: Path) -> None:
    async with running(SCRIPT) as system:
        code, out, _ = await livecaptions(
            "send", str(recording), "--room", "hall", "--url", system.http, "--fast", "--jsonl", "--speaker", "Ada"
        )
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert events[0]["type"] == "ready"
    assert events[-1]["type"] == "done"
    assert [e["text"] for e in events if e["type"] == "caption" and e["final"]] == SAID
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)


async def test_standard_input_is_sent_too() -> None:
    async with running(SCRIPT) as system:
        code, out, err = await livecaptions("send", "-", "--room", "hall", "--url", system.http, stdin=to_bytes(PCM))
    assert (code, err) == (0, "")
    assert out.splitlines() == SAID


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("send", "/nowhere.wav", "--room", "hall"), 2, "/nowhere.wav"),
        (("send", "/nowhere.wav", "--room", "hall", "--url", "ftp://x"), 2, "no server's address"),
        (("watch", "hall", "--url", "http://127.0.0.1:1"), 1, "is it running? Name another server with --url."),
        (("serve", "--model", "/nowhere", "--port", "0"), 2, "/nowhere"),
        (("serve", "--port", "99999"), 2, "port"),
        (("serve", "--config", "/nowhere.toml"), 2, "/nowhere.toml"),
    ],
)
async def test_what_is_wrong_is_said_in_a_line_without_a_traceback(
    arguments: tuple[str, ...], code: int, says: str
) -> None:
    returned, _, err = await livecaptions(*arguments)
    assert returned == code
    assert says in err
    assert "Traceback" not in err


async def test_a_refused_room_ends_with_one(recording: Path) -> None:
    async with running(SCRIPT) as system:
        code, _, err = await livecaptions("send", str(recording), "--room", "no way", "--url", system.http)
    assert code == 1
    assert "bad_request" in err


async def test_the_demo_plays_and_ends_by_itself() -> None:
    code, out, err = await livecaptions("demo", "--seconds", "5", within=60)
    assert code == 0, err
    assert "/r/demo" in out
    assert "welcome to the second day of the conference" in out
    assert "word shown" in out


async def test_health_says_whether_a_server_lives() -> None:
    async with running(SCRIPT) as system:
        system.app.include_router(health(list))
        system.app.include_router(metrics_endpoint(lambda: (b"", "text/plain")))
        assert await livecaptions("health", system.http) == (0, f"{system.http}/healthz answers\n", "")
        code, out, err = await livecaptions("health", f"{system.http}/elsewhere")
        assert (code, out) == (1, "")
        assert "HTTP 404" in err
    code, out, err = await livecaptions("health", system.http)
    assert (code, out) == (1, "")
    assert "does not answer" in err
