"""A virtual environment per peer, created once in the user's cache, and the peer's server in it."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bench.capacity.usage import keep_to_cores
from captions.errors import SetupError
from inference.engine.parallelism import available_cores
from livecaptions.processes import Process, running

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livecaptions" / "peers"
_MADE = "made"  # a file that marks a complete environment


def interpreter(requirement: str, needs: str) -> Path:
    """The Python of an environment with ``requirement``, which is created if it does not exist.

    ``needs`` names the system packages that the build requires. Raises ``SetupError``.
    """
    folder = CACHE / requirement
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if (folder / _MADE).is_file():
        return python
    uv = shutil.which("uv")
    if uv is None:
        raise SetupError("installing peers requires uv, which was not found: pip install uv")
    Console(stderr=True).print(f"Installing {requirement} into {folder} (several GB, only once)...", style="dim")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), requirement],
    ):
        if subprocess.run(command, check=False).returncode:
            raise SetupError(f"{requirement} could not be installed, see uv's messages above; it needs {needs}")
    (folder / _MADE).touch()
    return python


@contextlib.contextmanager
def peer_server(name: str, command: Sequence[str], cores: int | None) -> Iterator[tuple[Process, Path]]:
    """Run the peer's server while the context lasts. Yields the process and the file with its output.

    It gets as many threads as cores, and must not download anything: its model is on this machine.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(cores or available_cores()), "HF_HUB_OFFLINE": "1"}
    log = CACHE / f"{name}.log"
    with log.open("wb") as output, running(command, environment=environment, output=output) as process:
        if cores is not None:
            keep_to_cores(process.pid, cores)
        yield process, log
