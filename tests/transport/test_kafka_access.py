"""A broker that demands TLS and a login, and what is said where it refuses."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from captions.errors import SetupError
from captions.ports.log import Record
from livecaptions.processes import free_ports
from tests.kafka import Broker
from transport.kafka import KafkaSettings, TopicPlan, create_topics, kafka_log

pytestmark = pytest.mark.kafka

USER, PASSWORD = "captions", "s3cret"
PLANS = (TopicPlan(name="one", partitions=1, replication=1, retention_seconds=600),)


@dataclass(frozen=True)
class Guarded:
    """A broker, and how a client that may come in reaches it."""

    settings: KafkaSettings
    plain: KafkaSettings


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("tls")
    certificate = made_certificate(folder)
    plain, secure = free_ports(2)
    login = "org.apache.kafka.common.security"
    properties = folder / "extra.properties"
    properties.write_text(
        f"ssl.keystore.location={folder / 'keys.p12'}\nssl.keystore.password=changeit\nssl.keystore.type=PKCS12\n"
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n"
        "listener.name.sasl_ssl.plain.sasl.jaas.config="
        f'{login}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";\n'
        f"listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={login}.scram.ScramLoginModule required;\n"
        f"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;\n"
        "group.min.session.timeout.ms=6000\n"
    )
    user = f"[name={USER},password={PASSWORD}]"
    broker = Broker(
        {
            "KAFKA_LISTENERS": f"PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secure}",
            "KAFKA_PROPERTIES": str(properties),
            "KAFKA_FORMAT": f"--add-scram SCRAM-SHA-256={user} --add-scram SCRAM-SHA-512={user}",
        },
        port=plain,
    )
    settings = KafkaSettings(
        bootstrap=(f"127.0.0.1:{secure}",),
        tls=True,
        tls_ca=str(certificate),
        sasl="SCRAM-SHA-512",
        username=USER,
        password=PASSWORD,
        start_timeout=30,
    )
    try:
        broker.start()
        yield Guarded(settings, KafkaSettings(bootstrap=(broker.bootstrap,), start_timeout=30))
    finally:
        broker.remove()


def made_certificate(folder: Path) -> Path:
    """Keys for 127.0.0.1 in a PKCS 12 store, and their self-signed certificate as PEM."""
    store = [
        "-keystore",
        str(folder / "keys.p12"),
        "-storepass",
        "changeit",
        "-storetype",
        "PKCS12",
        "-alias",
        "broker",
    ]
    subject = ["-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1,dns:localhost", "-validity", "2"]
    subprocess.run(["keytool", "-genkeypair", "-keyalg", "EC", *store, *subject], check=True, capture_output=True)
    pem = folder / "ca.pem"
    subprocess.run(["keytool", "-exportcert", "-rfc", "-file", str(pem), *store], check=True, capture_output=True)
    return pem


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_logins_over_tls(guarded: Guarded, mechanism: Any) -> None:  # noqa: ANN401 - one of a literal's values
    settings = replace(guarded.settings, sasl=mechanism)
    await create_topics(settings, PLANS)
    async with kafka_log(settings, PLANS) as log:
        offset = await log.append("one", Record("k", mechanism.encode()))
        async for entry in log.read("one", 0, offset):
            assert entry.record.value == mechanism.encode()
            break


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong"}, "rejected the connection.*kafka_"),
        ({"sasl": "none"}, "no Kafka broker|rejected the connection"),
        ({"tls": False, "sasl": "none"}, "TLS"),
        ({"tls_ca": None}, "no Kafka broker.*TLS|certificate"),
        ({"tls_ca": "/nowhere.pem"}, "certificates for Kafka cannot be read"),
    ],
)
async def test_what_is_wrong_is_said(guarded: Guarded, change: dict[str, Any], says: str) -> None:
    with pytest.raises(SetupError, match=says):
        await create_topics(replace(guarded.settings, start_timeout=1.0, **change), PLANS)


@pytest.fixture
async def topics(guarded: Guarded) -> KafkaSettings:
    await create_topics(guarded.plain, PLANS)
    return guarded.plain


async def test_a_session_timeout_that_the_broker_refuses_is_explained(topics: KafkaSettings) -> None:
    async with kafka_log(topics, PLANS) as log:
        with pytest.raises(SetupError, match=r"group\.min\.session\.timeout\.ms.*kafka_session_timeout"):
            async with log.join("one", "live"):
                pass


async def test_absent_topics_are_named_with_the_command_that_makes_them(topics: KafkaSettings) -> None:
    absent = TopicPlan(name="two", partitions=1, replication=1, retention_seconds=600)
    with pytest.raises(SetupError, match=r"topic two does not exist.*livecaptions topics"):
        async with kafka_log(topics, (*PLANS, absent)):
            pass


async def test_topics_that_keep_too_little_are_refused(topics: KafkaSettings) -> None:
    longer = replace(PLANS[0], retention_seconds=6000)
    with pytest.raises(SetupError, match="keeps records for 600 s"):
        async with kafka_log(topics, (longer,)):
            pass


async def test_more_replicas_than_brokers_are_refused(topics: KafkaSettings) -> None:
    plan = TopicPlan(name="three", partitions=1, replication=3, retention_seconds=600)
    with pytest.raises(SetupError, match="topic three cannot be created: InvalidReplicationFactor"):
        await create_topics(topics, (plan,))
