"""schemathesis asks everything that /openapi.json describes, right and wrong, and checks the answers against it."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.fuzz.effort import times
from tests.fuzz.served import TOKEN, WEAK_TOKEN, served
from tests.streamer.system import System

pytestmark = [pytest.mark.server, pytest.mark.fuzz]

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 10
CONFIG = """
# no schema knows the version that stands, nor which lines are terms; and what is too long may be too large before
[[operations]]
include-path-regex = "/glossary"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 412, 429, "5xx"]
checks.negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, "5xx"]
"""


async def ask(system: System, folder: Path, token: str | None, *options: str) -> tuple[int, str]:
    """Let schemathesis ask with ``token``. Returns its exit code and report."""
    header = [] if token is None else ["-H", f"Authorization: Bearer {token}"]
    seed = ["--seed", "1"] if times(1) == 1 else []  # other examples each time with `make fuzz` alone
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    asking = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "--config-file", str(config), "run", f"{system.http}/openapi.json",
        "--checks", "all", "--continue-on-failure", "--no-color",
        "--max-examples", str(times(EXAMPLES)), "--generation-database", "none", *header, *seed, *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder,
    )  # fmt: skip
    report, _ = await asking.communicate()
    return asking.returncode or 0, report.decode()


@pytest.mark.parametrize(
    ("token", "phases"), [(TOKEN, "examples,coverage,fuzzing"), (WEAK_TOKEN, "fuzzing"), (None, "fuzzing")]
)
async def test_every_answer_is_as_openapi_json_says(token: str | None, phases: str, tmp_path: Path) -> None:
    async with served() as system:
        code, report = await ask(system, tmp_path, token, "--phases", phases)
        assert code == 0, report
        operations = sum(len(operations) for operations in system.app.openapi()["paths"].values())
        assert f"Tested: {operations}" in report
        assert not system.gateway.viewers


async def test_what_openapi_json_hides_is_found(tmp_path: Path) -> None:
    async with served() as system:
        transcript = system.app.openapi()["paths"]["/v1/rooms/{room}/transcript"]["get"]
        del transcript["responses"]["404"]
        (before,) = (parameter for parameter in transcript["parameters"] if parameter["name"] == "before")
        before["schema"] = {"type": "string"}
        options = ("--phases", "coverage", "--include-path", "/v1/rooms/{room}/transcript")
        code, report = await ask(system, tmp_path, TOKEN, *options)
        assert code == 1
        assert "Undocumented status code" in report, report
        assert "Schema-valid request rejected" in report, report
