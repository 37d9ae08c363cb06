"""The image, built by podman from this tree, and containers of it."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.conftest import Server

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "image" / "image.sh"
IMAGE = "localhost/livecaptions:cpu"
PATIENCE = 60.0


def missing() -> str | None:
    """What this machine lacks to build the image and run it."""
    if not all(shutil.which(program) for program in ("podman", "runc", "debootstrap")):
        return "no podman for the image: apt-get install podman runc debootstrap"
    return None if os.geteuid() == 0 else "the image's base is made by root: sudo make test"


def build() -> None:
    """Build the image; quick where nothing has changed."""
    subprocess.run([SCRIPT, "build"], check=True, timeout=1800)


def configuration() -> dict[str, Any]:
    """What the image says of itself."""
    told = subprocess.run(["podman", "image", "inspect", IMAGE], check=True, capture_output=True)
    (image,) = json.loads(told.stdout)
    return dict(image)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the image in a container of its own."""
    program, *arguments = command
    return subprocess.run(
        [SCRIPT, "run", "--entrypoint", program, IMAGE, *arguments],
        check=False,
        text=True,
        capture_output=True,
        timeout=120,
    )


@contextmanager
def serving(name: str, *flags: str) -> Iterator[Server]:
    """A container that serves, from when it is ready; it is gone when the context is left."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command: list[str | Path] = [
        SCRIPT,
        "run",
        "--name",
        name,
        "--env",
        f"LIVECAPTIONS_PORT={port}",
        "--env",
        "LIVECAPTIONS_OPEN=true",
        IMAGE,
        "serve",
        *flags,
    ]
    server = Server(f"127.0.0.1:{port}", subprocess.Popen(command, text=True))
    try:
        deadline = time.monotonic() + PATIENCE
        while not _ready(server):
            assert server.process.poll() is None, "the container ended: what it printed says why"
            assert time.monotonic() < deadline, "the container was not ready within a minute"
            time.sleep(0.2)
        yield server
    finally:
        subprocess.run(["podman", "rm", "--force", "--ignore", "--time", "0", name], check=True, capture_output=True)
        server.process.wait(PATIENCE)


def _ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.http}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
