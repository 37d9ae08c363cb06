"""The second pass in the cluster: a pod that runs it, reaches Kafka and is measured, and nothing more."""

import tempfile
from functools import cache
from pathlib import Path

import pytest

from livecaptions.cli import app
from tests.k8s.effective import settings_of
from tests.k8s.manifests import Manifests, container_of, labels_of, manifests_with, parse, pod_of, selects
from tools.k8s.lint import ROOT, render

pytestmark = pytest.mark.k8s

NAME = "livecaptions-refine"


@cache
def production() -> Manifests:
    """The base with everything that concerns it, in the order that its kustomization asks for."""
    with tempfile.TemporaryDirectory(dir=ROOT / "k8s") as folder:
        listed = ", ".join(f"../components/{name}" for name in ("refine", "model-hub", "strimzi", "monitoring"))
        (Path(folder) / "kustomization.yaml").write_text(
            f"namespace: livecaptions\nresources: [../base]\ncomponents: [{listed}]\n"
        )
        return parse(render(Path(folder)))


def test_it_runs_the_second_pass_with_the_settings_of_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rendered = manifests_with("refine")
    refine = rendered.get("Deployment", NAME)
    assert container_of(refine)["args"] == ["refine"]
    assert "refine" in {command.callback.__name__ for command in app.registered_commands if command.callback}
    settings = settings_of(rendered, refine, {}, monkeypatch, tmp_path)
    assert settings.transport == "kafka://kafka:9092"
    assert settings.metrics_port in {port["containerPort"] for port in container_of(refine)["ports"]}


def test_it_may_do_as_little_as_a_worker() -> None:
    rendered = manifests_with("refine")
    worker, refine = (rendered.get("Deployment", name) for name in ("livecaptions-worker", NAME))
    for field in ("securityContext", "automountServiceAccountToken", "enableServiceLinks"):
        assert pod_of(refine)[field] == pod_of(worker)[field]
    for field in ("securityContext", "startupProbe", "readinessProbe", "livenessProbe", "volumeMounts", "resources"):
        assert container_of(refine)[field] == container_of(worker)[field]
    account = rendered.get("ServiceAccount", pod_of(refine)["serviceAccountName"])
    assert account["automountServiceAccountToken"] is False


def test_it_is_measured_and_gets_a_login_and_models_where_workers_do() -> None:
    rendered = production()
    worker, refine = (rendered.get("Deployment", name) for name in ("livecaptions-worker", NAME))
    (monitor,) = (m for m in rendered.of("PodMonitor") if m["metadata"]["name"] == NAME)
    assert selects(monitor["spec"]["selector"]["matchLabels"], labels_of(refine))
    assert pod_of(refine)["volumes"] == pod_of(worker)["volumes"]
    assert rendered.environment(refine) == rendered.environment(worker)
    policies = [p["spec"] for p in rendered.of("NetworkPolicy")]
    reached = {
        (direction, rule["ports"][0]["port"])
        for spec in policies
        if selects(spec["podSelector"].get("matchLabels", {}), labels_of(refine))
        for direction in ("ingress", "egress")
        for rule in spec.get(direction, ())
    }
    assert reached == {("egress", 53), ("egress", 9093), ("egress", 443), ("ingress", 9100)}
