"""What KEDA scales by is measured, and it scales no further than what can be shared."""

import re

import pytest

from livecaptions.settings.load import load
from monitoring.metrics import Families, GatewayProbe, WorkerProbe
from tests.k8s.manifests import Object, manifests

pytestmark = pytest.mark.k8s


def scaled() -> dict[str, Object]:
    return {s["spec"]["scaleTargetRef"]["name"]: s["spec"] for s in manifests("gpu").of("ScaledObject")}


def test_both_deployments_are_scaled() -> None:
    assert set(scaled()) == {d["metadata"]["name"] for d in manifests("gpu").deployments()}


def test_every_metric_is_exposed_by_what_it_scales_and_is_of_this_namespace() -> None:
    for make, name in ((GatewayProbe, "livecaptions-gateway"), (WorkerProbe, "livecaptions-worker")):
        families = Families()
        make(families, "0")
        exposed = {family.name for family in families.described}
        for trigger in scaled()[name]["triggers"]:
            query = trigger["metadata"]["query"]
            assert set(re.findall(r"livecaptions_\w+", query)) <= exposed
            assert '{namespace="livecaptions"}' in query


def test_workers_follow_audio_behind_and_streams_and_never_the_lag_in_records() -> None:
    queries = {
        t["name"]: (t["metricType"], t["metadata"]["query"]) for t in scaled()["livecaptions-worker"]["triggers"]
    }
    assert queries.keys() == {"streams", "audio-behind"}
    # a number of streams is shared among workers, a delay is not
    assert queries["streams"][0] == "AverageValue"
    assert queries["audio-behind"][0] == "Value"
    assert "lag" not in str(queries)


def test_no_more_workers_than_partitions() -> None:
    (partitions,) = {
        t["spec"]["partitions"] for t in manifests("gpu").of("KafkaTopic") if t["metadata"]["name"] == "audio"
    }
    assert scaled()["livecaptions-worker"]["maxReplicaCount"] <= partitions


def test_gateways_are_added_before_they_refuse() -> None:
    settings = load({}).settings
    thresholds = {t["name"]: float(t["metadata"]["threshold"]) for t in scaled()["livecaptions-gateway"]["triggers"]}
    assert thresholds["sessions"] < settings.max_sessions
    assert thresholds["viewers"] < settings.max_viewers


def test_nothing_is_taken_away_where_prometheus_does_not_answer() -> None:
    for spec in scaled().values():
        assert spec["fallback"]["behavior"] == "currentReplicasIfHigher"
        assert spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
        assert all(t["metadata"]["ignoreNullValues"] == "false" for t in spec["triggers"]), "no data is not zero"
