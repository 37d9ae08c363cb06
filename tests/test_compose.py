"""compose.yaml says nothing that the product does not know."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from livecaptions.cli import app
from livecaptions.logs import kafka_settings
from livecaptions.settings.load import load

ROOT = Path(__file__).resolve().parents[1]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "livecaptions"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_setting_and_command_exists(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in OURS[name]["environment"].items():
        monkeypatch.setenv(key, value)
    assert kafka_settings(load({}).settings).bootstrap == ("kafka:9092",)
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert OURS[name]["command"][0] in commands


def test_the_broker_takes_our_session_timeout() -> None:
    shortest = SERVICES["kafka"]["environment"]["KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS"]
    assert shortest <= load({}).settings.kafka_session_timeout * 1000


@pytest.mark.parametrize("role", ["gateway", "worker"])
def test_prometheus_scrapes_every_gateway_and_worker(role: str) -> None:
    scraped = yaml.safe_load((ROOT / "monitoring" / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["static_configs"] for job in scraped["scrape_configs"]}
    targets = {target for config in jobs[f"livecaptions-{role}"] for target in config["targets"]}
    services = {name: service for name, service in OURS.items() if service["command"] == [role]}
    assert len(services) == 2
    ports = {
        name: service["environment"].get("LIVECAPTIONS_METRICS_PORT") if role == "worker" else load({}).settings.port
        for name, service in services.items()
    }
    assert targets == {f"{name}:{port}" for name, port in ports.items()}


def test_workers_answer_prometheus_from_outside_their_container() -> None:
    """They listen where the image's LIVECAPTIONS_HOST says."""
    assert "LIVECAPTIONS_HOST=0.0.0.0" in (ROOT / "Dockerfile").read_text()


def test_prometheus_finds_its_rules_and_whom_to_tell() -> None:
    configuration = ROOT / "monitoring" / "prometheus" / "prometheus.yml"
    content = yaml.safe_load(configuration.read_text())
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["prometheus"]["volumes"])
    inside = Path(mounts["./monitoring/prometheus/prometheus.yml"])
    for pattern in content["rule_files"]:
        here, there = (os.path.normpath(where.parent / pattern) for where in (configuration, inside))
        assert Path(there).parent == Path(mounts[f"./{Path(here).parent.relative_to(ROOT)}"])
    (sender,) = content["alerting"]["alertmanagers"]
    assert {t.partition(":")[0] for c in sender["static_configs"] for t in c["targets"]} == {"alertmanager"}
    assert "alertmanager" in SERVICES
