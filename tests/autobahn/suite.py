"""The Autobahn test suite, installed on first use. It is written for Python 2.7."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

PACKAGE = "autobahntestsuite==25.10.1"
FOLDER = Path(__file__).resolve().parents[2] / ".tools" / "autobahn"
_RUN = (
    "import site, sys; site.addsitedir(sys.argv[1]); sys.argv = ['wstest', '-m', 'fuzzingclient', '-s', sys.argv[2]]; "
    "from autobahntestsuite.wstest import run; run()"
)


def python2() -> str | None:
    """A Python 2.7 with pip; None if this machine has none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for program in (shutil.which("python2.7"), *map(str, pyenv.glob("2.7*/bin/python"))):
        if (
            program
            and not subprocess.run([program, "-m", "pip", "--version"], capture_output=True, check=False).returncode
        ):
            return program
    return None


def install(python: str) -> None:
    """Install the suite, unless it is installed."""
    if not (FOLDER / "autobahntestsuite").is_dir():
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--target", FOLDER, PACKAGE], check=True)


async def results(python: str, url: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Run all cases against an echo server. Returns their results by number."""
    spec = folder / "spec.json"
    servers = [{"agent": "us", "url": url}]
    spec.write_text(
        json.dumps(
            {"outdir": str(folder), "servers": servers, "cases": ["*"], "exclude-cases": [], "exclude-agent-cases": {}}
        )
    )
    running = await asyncio.create_subprocess_exec(
        python, "-W", "ignore", "-c", _RUN, FOLDER, spec, stdout=asyncio.subprocess.DEVNULL, cwd=folder
    )
    async with asyncio.timeout(600):
        assert await running.wait() == 0
    found: dict[str, dict[str, Any]] = json.loads((folder / "index.json").read_text())["us"]
    return found
