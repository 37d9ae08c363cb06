"""What the suite promises of itself."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("auth", "bench", "captions", "client", "inference", "livecaptions", "monitoring", "streamer", "transport")
SLOW = (
    "browser/",
    "e2e/",
    "failover/",
    "image/test_image",
    "k8s/",
    "k8s_cluster/",
    "livecaptions/test_roles",
    "transport/test_kafka.py",
)


@pytest.mark.server
def test_the_quick_check_is_most_of_the_suite_and_nothing_slow() -> None:
    recipe = subprocess.run(["make", "-n", "check"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (command,) = [shlex.split(line) for line in recipe.splitlines() if "pytest" in line]
    listed = subprocess.run([*command, "--collect-only"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tests = [line.removeprefix("tests/") for line in listed.splitlines() if "::" in line]
    assert len(tests) > 1700
    assert {test.partition("/")[0] for test in tests} >= set(QUICK)
    assert not [test for test in tests if test.startswith(SLOW)]


def test_no_test_module_imports_another() -> None:
    importing = re.compile(r"^(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)
    assert not [path for path in (ROOT / "tests").rglob("*.py") if importing.search(path.read_text())]
