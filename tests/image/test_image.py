"""The image, as Kubernetes runs it: no root, no capability, nothing writable but /tmp and the models' cache."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from livecaptions.talk import talk_path
from tests.e2e.conftest import Heard, Server, pcm16, publish
from tests.image import container

pytestmark = pytest.mark.image
NAME = f"livecaptions-test-{os.getpid()}"


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    container.build()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with container.serving(NAME, "--model", "tiny.en", "--drain-deadline", "20") as running:
        yield running


def test_it_says_what_it_is_and_how_it_is_run() -> None:
    told = container.configuration()
    config = told["Config"]
    assert config["User"] == "10001:10001", "Kubernetes asks for a number to know that it is not root"
    assert config["Entrypoint"] == ["livecaptions"]
    assert list(config["Volumes"]) == ["/var/cache/livecaptions"]
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert not [name for name in config["Env"] if name.startswith(("SSL_", "UV_"))], "the build's settings stay there"


def test_its_code_is_this_trees() -> None:
    """The package cache that builds share once gave an image the code of an earlier one."""
    packages = ("captions", "auth", "streamer", "inference", "transport", "monitoring", "livecaptions")
    client = "livecaptions_client"
    digests = (
        "import hashlib, pathlib, json, sys; roots = {pathlib.Path(p).name: pathlib.Path(p) for p in sys.argv[1:]}; "
        "print(json.dumps({f'{name}/{f.relative_to(root)}': hashlib.sha256(f.read_bytes()).hexdigest() "
        "for name, root in roots.items() for f in root.rglob('*') if f.is_file() and '__pycache__' not in f.parts}))"
    )
    (site,) = container.run("find", "/app/.venv/lib", "-name", "site-packages").stdout.split()
    built = json.loads(
        container.run("python", "-c", digests, *(f"{site}/{name}" for name in (*packages, client))).stdout
    )
    root = container.SCRIPT.parents[2]
    here = [sys.executable, "-c", digests, *(str(root / folder) for folder in (*packages, f"{client}/src/{client}"))]
    assert built == json.loads(subprocess.run(here, check=True, capture_output=True).stdout)


def test_nothing_in_it_builds_or_fetches_programs() -> None:
    builders = ["pip[0-9.]*", "uvx?", "[a-z0-9_-]*g?cc", "g[+][+]", "c[+][+]", "make", "ld", "as"]
    names = "\\|".join([*builders, "livecaptions"])
    found = container.run("find", "/", "-xdev", "-regex", f".*/bin/\\({names}\\)")
    assert found.stdout == "/app/.venv/bin/livecaptions\n"
    for module in ("pip", "ensurepip", "setuptools", "pytest"):
        absent = container.run("python", "-c", f"import {module}")
        assert "ModuleNotFoundError" in absent.stderr, module


def test_its_user_writes_only_where_it_should() -> None:
    writes = "import os, pathlib; pathlib.Path({folder!r}, 'written').touch(); print(os.getuid())"
    for folder, wrote in {"/tmp": True, "/var/cache/livecaptions": True, "/app": False, "/": False}.items():  # noqa: S108
        done = container.run("python", "-c", writes.format(folder=folder))
        assert (done.stdout == "10001\n") is wrote, folder
        assert ("Read-only file system" in done.stderr) is not wrote, folder


def test_its_health_is_asked_by_its_own_check(server: Server) -> None:
    kind, *check = container.configuration()["Healthcheck"]["Test"]
    assert kind == "CMD"
    well = subprocess.run(["podman", "exec", NAME, *check, server.http], check=False, capture_output=True, text=True)
    assert (well.returncode, well.stdout) == (0, f"{server.http}/healthz answers\n")
    ill = subprocess.run(["podman", "exec", NAME, *check, "http://localhost:1"], check=False, capture_output=True)
    assert ill.returncode == 1


async def test_it_decodes_containers_in_processes(server: Server) -> None:
    heard = await publish(server, "ogg", talk_path().read_bytes()[:60_000], query="encoding=container")
    assert heard.messages[-1]["type"] == "done", heard.messages[-1]
    assert "welcome to the second day of the conference" in heard.text.lower()


async def test_it_captions_the_talk_and_ends_what_was_said_at_sigterm(server: Server) -> None:
    heard, audio = Heard(), pcm16(talk_path(), seconds=8)
    async with connect(f"{server.ws}/v1/rooms/hall/publish", compression=None) as ws:
        for at in range(0, len(audio), 3200):
            await ws.send(audio[at : at + 3200])
        await asyncio.sleep(2)
        exit_code = asyncio.create_task(asyncio.to_thread(server.terminate))
        with suppress(ConnectionClosed):
            while True:
                heard.messages.append(json.loads(await ws.recv()))
    assert await exit_code == 0
    assert ws.close_code == 1001
    assert "welcome to the second day of the conference" in heard.text.lower()
    assert "talk is about live captions" in heard.text
