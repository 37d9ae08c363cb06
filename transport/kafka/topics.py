"""Creation and checks of topics."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from captions.errors import SetupError
from transport.kafka.connect import connected
from transport.kafka.errors import reason
from transport.kafka.settings import KafkaSettings

logger = structlog.get_logger(__name__)

TOPIC_EXISTS = 36
POLL_INTERVAL = 0.1
COMPACTED_SEGMENT_MS = 3_600_000
CHECKED_EVERY = 300.0
"""Seconds. The brokers' default of log.retention.check.interval.ms."""
FILES_DELETED_AFTER = 60.0
"""Seconds. The default of file.delete.delay.ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """The settings of a topic to create. ``retention_bytes`` is per partition; None means unlimited.

    Of a ``compacted`` topic only the latest record of each key has to stay, and none of a key whose latest value is
    empty. ``retention_seconds`` is None if records stay for ever.
    """

    name: str
    partitions: int
    replication: int
    retention_seconds: float | None
    retention_bytes: int | None = None
    compacted: bool = False

    def config(self) -> dict[str, str]:
        """The topic's settings, as Kafka names them."""
        # Kafka drops whole segments, so several per retention period keep the actual retention close to the setting
        kept = self.retention_seconds
        config = {
            "retention.ms": "-1" if kept is None else str(round(kept * 1000)),
            "segment.ms": str(COMPACTED_SEGMENT_MS if kept is None else max(60_000, round(kept * 250))),
            "min.insync.replicas": str(max(1, self.replication - 1)),
            "cleanup.policy": "delete",
        }
        if self.compacted:  # a segment is compacted only once it is closed
            policy = "compact" if kept is None else "compact,delete"
            config |= {"cleanup.policy": policy, "segment.ms": str(COMPACTED_SEGMENT_MS)}
            if kept is None:  # what was replaced or removed is not to stay because little else is written
                config["max.compaction.lag.ms"] = str(COMPACTED_SEGMENT_MS)
        if self.retention_bytes is not None:
            config["retention.bytes"] = str(self.retention_bytes)
        return config


async def create_topics(settings: KafkaSettings, plans: Sequence[TopicPlan]) -> list[str]:
    """Create the missing topics and return their full names. Existing topics are not changed.

    Raises ``SetupError`` if the cluster refuses to create a topic.
    """
    made: list[str] = []
    async with connected(AIOKafkaAdminClient(**settings.connection()), settings) as admin:
        for plan in plans:
            topic = NewTopic(
                settings.prefix + plan.name,
                num_partitions=plan.partitions,
                replication_factor=plan.replication,
                topic_configs=plan.config(),
            )
            try:
                response = await admin.create_topics([topic])
            except KafkaError as error:
                raise SetupError(f"topic {topic.name} cannot be created: {reason(error)}") from error
            (_, code, message) = response.topic_errors[0]
            if code not in (0, TOPIC_EXISTS):
                raise SetupError(f"topic {topic.name} cannot be created: {for_code(code).__name__}: {message}")
            if code == 0:
                made.append(topic.name)
        if made:
            await _wait_until_known(admin, made, settings)
    return made


async def _wait_until_known(admin: AIOKafkaAdminClient, names: Sequence[str], settings: KafkaSettings) -> None:
    """Wait until the brokers list the topics. Some brokers need a moment after the creation."""
    try:
        async with asyncio.timeout(settings.start_timeout):
            while any(topic["error_code"] for topic in await admin.describe_topics(list(names))):  # noqa: ASYNC110 - a broker sends no event
                await asyncio.sleep(POLL_INTERVAL)
    except TimeoutError as error:
        raise SetupError(
            f"the brokers created {', '.join(names)} but do not list them after {settings.start_timeout:.0f} s; "
            "check the cluster's controller"
        ) from error


class TopicFacts(NamedTuple):
    """What the brokers say of a topic.

    ``gone_after`` is the number of seconds after which a record's bytes are gone by retention; None means never. In a
    ``compacted`` topic an empty value removes what is kept of its key.
    """

    partitions: int
    gone_after: float | None
    compacted: bool = False


async def check_topics(
    admin: AIOKafkaAdminClient, settings: KafkaSettings, plans: Sequence[TopicPlan]
) -> dict[str, TopicFacts]:
    """Check the topics and return the facts of each, by its name without prefix.

    Raises ``SetupError`` with every topic that is missing, compacted, or has too short a retention.
    """
    names = {plan.name: settings.prefix + plan.name for plan in plans}
    described = {topic["topic"]: topic for topic in await admin.describe_topics(list(names.values()))}
    wrong = [f"topic {full} does not exist" for full in names.values() if described[full]["error_code"] != 0]
    configs: dict[str, dict[str, str]] = {}
    if not wrong:
        configs = await _configs(admin, list(names.values()))
        wrong = [problem for plan in plans for problem in _problems(plan, names[plan.name], configs[names[plan.name]])]
    if wrong:
        raise SetupError("; ".join(wrong) + ". Create topics with: livecaptions topics --transport kafka://HOST:PORT")
    return {
        name: TopicFacts(len(described[full]["partitions"]), _gone_after(configs[full]), _compacts(configs[full]))
        for name, full in names.items()
    }


def _gone_after(config: Mapping[str, str]) -> float | None:
    """The longest that retention takes: a segment is deleted once its newest record is old enough, and then checked."""
    retention = int(config.get("retention.ms") or -1)
    if retention < 0 or "delete" not in (config.get("cleanup.policy") or ""):
        return None
    return (retention + int(config.get("segment.ms") or 0)) / 1000 + CHECKED_EVERY + FILES_DELETED_AFTER


def _compacts(config: Mapping[str, str]) -> bool:
    return "compact" in (config.get("cleanup.policy") or "")


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for resource in response.resources:
            found[resource[3]] = {entry[0]: entry[1] for entry in resource[4]}
    return found


def _problems(plan: TopicPlan, full: str, config: Mapping[str, Any]) -> list[str]:
    """Settings of the topic that would lose records: compaction, or a retention that is too short."""
    problems = []
    if not plan.compacted and _compacts(config):
        problems.append(f"topic {full} is compacted, which drops needed records: set cleanup.policy=delete")
    retention = int(config.get("retention.ms") or -1)
    if plan.retention_seconds is None:
        if retention >= 0 and "delete" in (config.get("cleanup.policy") or ""):
            problems.append(f"topic {full} deletes records, and all are needed: set cleanup.policy=compact")
    elif 0 <= retention < plan.retention_seconds * 500:
        problems.append(
            f"topic {full} keeps records for {retention / 1000:.0f} s, less than half of the "
            f"{plan.retention_seconds:.0f} s in the settings: raise retention.ms or lower the setting"
        )
    return problems
