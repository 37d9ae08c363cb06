"""What prometheus-operator is told: whom to scrape under which job, and the same rules as monitoring/alerts."""

import pytest

from tests.k8s.manifests import container_of, labels_of, manifests, selects
from tools.k8s.rules import WRITTEN, groups, manifest

pytestmark = pytest.mark.k8s


def test_the_rules_are_those_of_monitoring() -> None:
    assert groups()
    assert WRITTEN.read_text() == manifest(), "python -m tools.k8s.rules writes it anew"
    (rule,) = manifests("gpu").of("PrometheusRule")
    assert rule["spec"]["groups"] == groups()


def test_gateways_are_scraped_under_the_name_of_their_service() -> None:
    (monitor,) = manifests("gpu").of("ServiceMonitor")
    service = manifests("gpu").get("Service", "livecaptions-gateway")  # an operator's job is the Service's name
    assert "jobLabel" not in monitor["spec"]
    assert selects(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_workers_are_scraped_as_one_job() -> None:
    (monitor,) = manifests("gpu").of("PodMonitor")
    worker = manifests("gpu").get("Deployment", "livecaptions-worker")
    assert selects(monitor["spec"]["selector"]["matchLabels"], labels_of(worker))
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in container_of(worker)["ports"]}
    assert {"targetLabel": "job", "replacement": "livecaptions-worker"} in endpoint["relabelings"]
