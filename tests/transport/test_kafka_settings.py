import pytest

from captions.errors import SetupError
from transport.kafka import KafkaSettings, TopicPlan, parse_address


@pytest.mark.parametrize(
    ("address", "brokers"),
    [
        ("kafka://broker", ("broker:9092",)),
        ("kafka://broker:19092", ("broker:19092",)),
        ("kafka://a:1,b,c:3", ("a:1", "b:9092", "c:3")),
        ("kafka://[::1]:9092", ("[::1]:9092",)),
    ],
)
def test_addresses(address: str, brokers: tuple[str, ...]) -> None:
    assert parse_address(address) == brokers


@pytest.mark.parametrize(
    "address",
    ["", "broker:9092", "kafka://", "http://broker", "kafka://a:x", "kafka://a,,b", "kafka://u:p@a", "kafka://a/b"],
)
def test_what_is_no_address_is_refused_with_one_that_is(address: str) -> None:
    with pytest.raises(SetupError, match="kafka://HOST:PORT"):
        parse_address(address)


def test_what_is_appended_is_on_every_replica_once() -> None:
    producer = KafkaSettings(bootstrap=("a:1",)).producer()
    assert producer["acks"] == "all"
    assert producer["enable_idempotence"]
    assert producer["security_protocol"] == "PLAINTEXT"


def test_members_commit_themselves_and_skip_nothing() -> None:
    member = KafkaSettings(bootstrap=("a:1",), session_timeout=3.0).member()
    assert not member["enable_auto_commit"]
    assert member["auto_offset_reset"] == "earliest"
    assert member["session_timeout_ms"] == 3000
    assert member["heartbeat_interval_ms"] * 3 <= member["session_timeout_ms"]


@pytest.mark.parametrize(
    ("tls", "sasl", "protocol"),
    [
        (False, "none", "PLAINTEXT"),
        (True, "none", "SSL"),
        (False, "PLAIN", "SASL_PLAINTEXT"),
        (True, "SCRAM-SHA-512", "SASL_SSL"),
    ],
)
def test_protocols(tls: bool, sasl: str, protocol: str) -> None:
    settings = KafkaSettings(bootstrap=("a:1",), tls=tls, sasl=sasl, username="u", password="p")  # type: ignore[arg-type] # one of the literal's
    assert settings.connection()["security_protocol"] == protocol


def test_a_topic_survives_a_replica_less() -> None:
    plan = TopicPlan(name="audio", partitions=1, replication=3, retention_seconds=600)
    assert plan.config()["min.insync.replicas"] == "2"
    assert plan.config()["retention.ms"] == "600000"


def test_of_a_compacted_topic_the_latest_record_of_each_key_stays_for_a_while() -> None:
    plan = TopicPlan(name="usage", partitions=1, replication=1, retention_seconds=40 * 86400, compacted=True)
    assert plan.config()["cleanup.policy"] == "compact,delete"
    assert plan.config()["retention.ms"] == str(40 * 86400 * 1000)
    assert plan.config()["segment.ms"] == "3600000"
