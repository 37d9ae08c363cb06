"""Names as Prometheus wants them, and processes that share a folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring import catalogue
from monitoring.families import Families
from monitoring.metrics import GatewayProbe, ServeProbe, WorkerProbe
from tests.monitoring.hooks import HOOKS, arguments

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("seconds", "ratio", "windows", "utterances", "records", "total", "info")
COUNTED = ("sessions", "viewers", "streams", "awaited", "partitions", "draining", "assigned", "loaded", "confidence")


def test_names_have_a_prefix_a_unit_and_help() -> None:
    for described, _ in catalogue.catalogue():
        assert re.fullmatch(r"livecaptions_[a-z_]+", described.name)
        assert described.name.endswith((*UNITS, *COUNTED)), described.name
        assert described.name.endswith("_total") == (described.kind == "counter")
        assert described.text.endswith(".")


def test_the_page_of_metrics_is_in_step() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == catalogue.page(), "make docs-metrics"


@pytest.mark.prometheus
def test_promtool_finds_nothing_to_say() -> None:
    probe = ServeProbe(Families(), "1.2", ("acme",))
    for hook in sorted(set(HOOKS) - {"partition_revoked"}):
        getattr(probe, hook)(*arguments(hook))
    body, _ = probe.render()
    told = {family.name for family in text_string_to_metric_families(body.decode())}
    assert {described.name.removesuffix("_total") for described, _ in catalogue.catalogue()} <= told
    checked = subprocess.run(
        [shutil.which("promtool") or "promtool", "check", "metrics"], input=body, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


WORKER = """
import json, sys
from pathlib import Path
from monitoring.families import Families
from monitoring.metrics import ServeProbe
probe = ServeProbe(Families(Path(sys.argv[1])), "1.2")
for line in sys.stdin:
    for hook, *arguments in json.loads(line):
        getattr(probe, hook)(*({int(k): v for k, v in a.items()} if isinstance(a, dict) else a for a in arguments))
    print(json.dumps(probe.render()[0].decode()), flush=True)
"""


class Sharing:
    """A process that measures into a shared folder, told line by line what."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORKER, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip

    def tell(self, *hooks: list[object]) -> Mapping[str, float]:
        """Call hooks there; what the process renders then."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(hooks) + "\n")
        self.process.stdin.flush()
        text = json.loads(self.process.stdout.readline())
        return {
            sample.name.removeprefix("livecaptions_") + "".join(sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.server
def test_processes_that_share_a_folder_tell_what_all_measured(tmp_path: Path) -> None:
    one, other = Sharing(tmp_path), Sharing(tmp_path)
    try:
        one.tell(["session_opened"], ["audio_received", 2.0], ["partition_assigned", 3], ["audio_behind", {3: 7.0}])
        told = other.tell(
            ["session_opened"], ["audio_received", 0.5], ["partition_assigned", 4], ["final_latency", 0.3]
        )
        assert told["sessions"] == 2
        assert told["audio_received_seconds_total"] == 2.5
        assert told["audio_behind_worst_seconds"] == 7.0
        assert told["build_info1.2"] == 1
        assert told["final_seconds_count"] == 1
        assert {name for name in told if name.startswith("partition_assigned")} == {
            "partition_assigned3",
            "partition_assigned4",
        }
        assert not {name for name in told if name.startswith(("process_", "python_gc_"))}
        one.tell(["partition_revoked", 3])
        told = other.tell(["partition_assigned", 3], ["audio_behind", {3: 1.0}])
        assert told["audio_behind_seconds3"] == 1.0
        told = one.tell(["partition_assigned", 5])
        assert "partition_assigned5" in told
        told = one.tell(["partition_revoked", 5])
        assert "partition_assigned5" not in told
        one.end()
        told = other.tell()
        assert told["sessions"] == 1, "the gauges of a killed process go"
        assert told["audio_received_seconds_total"] == 2.5, "its counters stay"
    finally:
        one.end()
        other.end()


def test_without_a_folder_a_registry_is_a_probes_own() -> None:
    one, other = WorkerProbe(Families(), "1"), WorkerProbe(Families(), "1")
    one.rebalanced()
    assert b"livecaptions_rebalances_total 1.0" in one.render()[0]
    assert b"livecaptions_rebalances_total 0.0" in other.render()[0]
    assert GatewayProbe(Families(), "1").render()[1].startswith("text/plain")
