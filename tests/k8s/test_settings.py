"""What the manifests say to the processes is what these take."""

from pathlib import Path

import pytest

from livecaptions.cli import app
from livecaptions.logs import kafka_settings, topic_plans
from livecaptions.settings.fields import Settings
from tests.k8s import effective
from tests.k8s.effective import example_secrets, rendered_secrets
from tests.k8s.manifests import Object, container_of, manifests, pod_of
from tools.k8s.lint import OVERLAYS

pytestmark = pytest.mark.k8s


def settings_of(overlay: str, workload: Object, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Settings:
    """The settings as the container would have them, with the Secrets of the documentation. Raises ``SetupError``."""
    rendered = manifests(overlay)
    secrets = rendered_secrets(rendered) or example_secrets(folder)
    return effective.settings_of(rendered, workload, secrets, monkeypatch, folder)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_check_config_accepts_the_environment_and_the_command_exists(
    overlay: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    for workload in manifests(overlay).processes():
        settings = settings_of(overlay, workload, monkeypatch, tmp_path)
        assert settings.log_format == "json"
        assert container_of(workload)["args"][0] in commands
        assert not settings.kafka_tls_ca or settings.kafka_tls_ca in effective.secret_files(workload)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kafka_is_a_service_of_the_namespace(overlay: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    services = {
        (s["metadata"]["name"], p["port"]) for s in manifests(overlay).of("Service") for p in s["spec"]["ports"]
    }
    for kafka in manifests(overlay).of("Kafka"):  # Strimzi makes one of the cluster's name and its listeners
        name = f"{kafka['metadata']['name']}-kafka-bootstrap"
        services |= {(name, listener["port"]) for listener in kafka["spec"]["kafka"]["listeners"]}
    for workload in manifests(overlay).processes():
        settings = settings_of(overlay, workload, monkeypatch, tmp_path)
        host, _, port = kafka_settings(settings).bootstrap[0].partition(":")
        assert (host, int(port)) in services


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_open_is_captioned_before_the_pod_is_killed(
    overlay: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for workload in manifests(overlay).deployments():
        settings = settings_of(overlay, workload, monkeypatch, tmp_path)
        sleep = container_of(workload).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert settings.drain_deadline > settings.longest_utterance
        # 5 s: open sockets are closed, Kafka is left
        assert pod_of(workload)["terminationGracePeriodSeconds"] >= sleep + settings.drain_deadline + 5


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_gateways_take_sessions_until_nobody_is_sent_to_them(overlay: str) -> None:
    gateway = manifests(overlay).get("Deployment", "livecaptions-gateway")
    assert container_of(gateway)["lifecycle"]["preStop"]["sleep"]["seconds"] >= 3


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_start_may_wait_for_kafka(overlay: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for workload in manifests(overlay).deployments():
        settings = settings_of(overlay, workload, monkeypatch, tmp_path)
        probe = container_of(workload)["startupProbe"]
        assert probe["failureThreshold"] * probe["periodSeconds"] > settings.kafka_start_timeout


def test_strimzis_topics_are_those_of_the_topics_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gateway = manifests("gpu").get("Deployment", "livecaptions-gateway")
    settings = settings_of("gpu", gateway, monkeypatch, tmp_path)
    assert settings.replication == 3
    wanted = {
        settings.kafka_prefix + plan.name: {
            "partitions": plan.partitions,
            "replicas": plan.replication,
            "config": plan.config(),
        }
        for plan in topic_plans(settings)
    }
    declared = {
        topic["metadata"]["name"]: {
            **topic["spec"],
            "config": {key: str(value) for key, value in topic["spec"]["config"].items()},
        }
        for topic in manifests("gpu").of("KafkaTopic")
    }
    assert declared == wanted


def test_strimzis_brokers_take_our_session_timeout_and_have_the_replicas(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worker = manifests("gpu").get("Deployment", "livecaptions-worker")
    settings = settings_of("gpu", worker, monkeypatch, tmp_path)
    config = manifests("gpu").get("Kafka", "livecaptions")["spec"]["kafka"]["config"]
    assert config["group.min.session.timeout.ms"] <= settings.kafka_session_timeout * 1000
    (pool,) = manifests("gpu").of("KafkaNodePool")
    assert pool["spec"]["replicas"] >= settings.replication


def test_strimzis_user_may_do_what_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker = manifests("gpu").get("Deployment", "livecaptions-worker")
    settings = settings_of("gpu", worker, monkeypatch, tmp_path)
    user = manifests("gpu").get("KafkaUser", settings.kafka_username or "")
    rules = {
        (acl["resource"]["type"], acl["resource"]["name"]): set(acl["operations"])
        for acl in user["spec"]["authorization"]["acls"]
    }
    topics = {("topic", topic["metadata"]["name"]) for topic in manifests("gpu").of("KafkaTopic")}
    assert rules.keys() == topics | {("group", "live"), ("group", "refine")}
    assert all({"Read", "Write", "Describe", "DescribeConfigs"} <= rules[topic] for topic in topics)
