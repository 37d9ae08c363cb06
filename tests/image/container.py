"""The image, built by podman from this tree, and containers of it."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
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


def build(*options: str) -> None:
    """Build the image; quick where nothing has changed. Builds wait for each other: what one made, the next finds."""
    with (Path(tempfile.gettempdir()) / "livecaptions-image-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([SCRIPT, "build", *options], check=True, timeout=1800)


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


def as_root(script: str) -> str:
    """What a shell script prints that runs as root in a container of its own, whose files it may change."""
    command = ["podman", "--runtime", "runc", "run", "--rm", "--network", "host", "--no-healthcheck", "--user", "0"]
    limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    run = [*command, *limits, "--entrypoint", "sh", IMAGE, "-ec", script]
    return subprocess.run(run, check=True, text=True, stdout=subprocess.PIPE, timeout=300).stdout


@contextmanager
def layers() -> Iterator[Iterator[tuple[str, tarfile.TarFile]]]:
    """The image's layers, lowest first, with their names."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.tar"
        subprocess.run(["podman", "save", "--quiet", "--output", file, IMAGE], check=True, timeout=300)
        with tarfile.open(file) as archive:
            yield _layers(archive)


def _layers(archive: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarFile]]:
    manifest = archive.extractfile("manifest.json")
    assert manifest is not None
    (image,) = json.load(manifest)
    for name in image["Layers"]:
        with tarfile.open(fileobj=archive.extractfile(name)) as layer:
            yield name, layer


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
