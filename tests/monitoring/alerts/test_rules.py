"""What Prometheus' own tools say of the rules, and that every alert is tried firing and not firing."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.alerts.rules import FILES, ROOT, UNIT_TESTS, Alert, alerts


def told(*command: str | Path) -> str:
    """What a tool prints, where it is content."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.prometheus
def test_prometheus_takes_the_rules() -> None:
    told("promtool", "check", "rules", "--lint=all", "--lint-fatal", *FILES)


@pytest.mark.prometheus
def test_prometheus_takes_its_configuration_and_finds_the_rules() -> None:
    out = told("promtool", "check", "config", ROOT / "monitoring" / "prometheus" / "prometheus.yml")
    assert f"SUCCESS: {len(FILES)} rule files found" in out


@pytest.mark.prometheus
@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_the_alerts_fire_when_they_should(file: Path) -> None:
    told("promtool", "test", "rules", file)


def tried(file: Path) -> list[dict[str, Any]]:
    """What the unit tests of a rule file ask of its alerts."""
    tests = yaml.safe_load((file.parent / "tests" / file.name).read_text())["tests"]
    return [asked for test in tests for asked in test.get("alert_rule_test", ())]


@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_every_alert_is_tried_firing_and_not_firing(alert: Alert) -> None:
    expected = [
        any(alert.labels.items() <= found["exp_labels"].items() for found in asked.get("exp_alerts", ()))
        for asked in tried(alert.file)
        if asked["alertname"] == alert.name
    ]
    assert True in expected
    assert False in expected


@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_every_alert_says_who_is_asked_to_do_what(alert: Alert) -> None:
    assert alert.name.startswith("Livecaptions")
    assert alert.labels["severity"] in {"page", "ticket"}
    assert alert.annotations.keys() == {"summary", "description", "runbook_url"}
