"""What prometheus-operator is told: whom to scrape under which job, and the same rules as monitoring/alerts."""

import pytest

from tests.k8s.manifests import container_of, labels_of, manifests, selects
from tools.k8s.lint import OVERLAYS
from tools.k8s.rules import WRITTEN, groups, manifest

pytestmark = pytest.mark.k8s


def test_the_rules_are_those_of_monitoring() -> None:
    assert groups()
    assert WRITTEN.read_text() == manifest(), "python -m tools.k8s.rules writes it anew"
    (rule,) = manifests("gpu").of("PrometheusRule")
    assert rule["spec"]["groups"] == groups()


@pytest.mark.parametrize("name", ["livecaptions-gateway", "livecaptions-worker"])
def test_pods_are_scraped_where_their_metrics_are_and_under_the_job_that_alerts_name(name: str) -> None:
    monitor, pods = manifests("gpu").get("PodMonitor", name), manifests("gpu").get("Deployment", name)
    assert selects(monitor["spec"]["selector"]["matchLabels"], labels_of(pods))
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    ports = {port["name"]: port["containerPort"] for port in container_of(pods)["ports"]}
    environment = manifests("gpu").environment(pods)
    assert ports[endpoint["port"]] == int(environment["LIVECAPTIONS_METRICS_PORT"])
    assert environment["LIVECAPTIONS_METRICS_ACCESS"] == "port"
    assert {"targetLabel": "job", "replacement": name} in endpoint["relabelings"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_service_of_clients_does_not_have_the_metrics(overlay: str) -> None:
    (port,) = manifests(overlay).get("Service", "livecaptions-gateway")["spec"]["ports"]
    assert port["targetPort"] == "http"
