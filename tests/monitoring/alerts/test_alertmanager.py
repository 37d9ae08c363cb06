"""The example configuration sends pages to people and tickets to a queue."""

import re
import subprocess

import pytest
import yaml

from tests.monitoring.alerts.rules import Alert, alerts
from tests.monitoring.alerts.servers import ALERTMANAGER

RECEIVERS = {"page": "pager", "ticket": "tickets"}


@pytest.mark.alertmanager
def test_alertmanager_takes_it() -> None:
    subprocess.run(["amtool", "check-config", ALERTMANAGER], check=True, timeout=60)


@pytest.mark.alertmanager
@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_every_alert_goes_where_it_should(alert: Alert) -> None:
    labels = [f"{name}={value}" for name, value in {"alertname": alert.name, **alert.labels}.items()]
    routed = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert routed.stdout.strip() == RECEIVERS[alert.labels["severity"]]


def test_only_alerts_that_exist_inhibit_and_are_inhibited() -> None:
    names = {alert.name for alert in alerts()}
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            if found := re.fullmatch(r'alertname=~"Livecaptions\((.*)\)"', matcher):
                assert {f"Livecaptions{end}" for end in found[1].split("|")} <= names
            else:
                assert matcher.startswith("severity=")
