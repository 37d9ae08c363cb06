"""Rendered, and held to Kubernetes' and the operators' schemas and to checkov's rules."""

from pathlib import Path

import pytest

from tests.k8s.manifests import COMPONENTS, parse, render_with
from tools.k8s.lint import OVERLAYS, ROOT, SKIPPED, checkov, conformity, render

pytestmark = pytest.mark.k8s


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_fit_the_schemas(overlay: str) -> None:
    assert conformity(render(ROOT / "k8s/overlays" / overlay)) == ""


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_is_optional(component: str) -> None:
    rendered = render_with(component)
    assert len(parse(rendered).objects) > 10
    assert conformity(rendered) == ""


@pytest.mark.parametrize(
    ("there", "misspelt"),
    [
        ("terminationGracePeriodSeconds: 45", "terminationGracePeriodSecond: 45"),
        ("unhealthyPodEvictionPolicy", "unhealthyPodsEvictionPolicy"),
        ("pathType: Exact", "pathtype: Exact"),
        ("maxReplicaCount: 32", "maxReplicaCount: many"),
        ("podMetricsEndpoints", "podMetricEndpoints"),
        ("kraftMetadata", "kraftMetaData"),
        ("type: scram-sha-512", "type: scram-sha-521"),
        ("partitions: 32", "partition: 32"),
    ],
)
def test_what_is_misspelt_is_found(there: str, misspelt: str) -> None:
    rendered = render(ROOT / "k8s/overlays/gpu")
    assert there in rendered
    assert conformity(rendered.replace(there, misspelt))


def test_checkov_finds_what_is_switched_off_and_nothing_else(tmp_path: Path) -> None:
    for overlay in OVERLAYS:
        (tmp_path / f"{overlay}.yaml").write_text(render(ROOT / "k8s/overlays" / overlay))
    assert checkov(tmp_path).keys() == SKIPPED.keys()
