"""The log according to the settings: in memory, or on Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

from captions.errors import SetupError
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, GLOSSARIES, PARTIALS, USAGE
from livecaptions.observation import alongside
from livecaptions.settings.fields import Settings
from transport.kafka import KafkaSettings, TopicPlan, kafka_log, parse_address
from transport.memory import MemoryLog, TopicSettings

MEMORY = "memory"
PARTIALS_RETENTION = 300.0
"""Seconds. A partial is useless once its final is published."""
PARTIALS_IN_MEMORY = 60.0
TRIM_INTERVAL = 60.0
"""Seconds between two trims of the log in memory. Without them, topics without appends would keep old records."""
DEAD_LETTERS_RETENTION = 7 * 24 * 3600.0
"""Seconds. People have a week to inspect dead letters."""
USAGE_RETENTION = 40 * 24 * 3600.0
"""Seconds. Longer than a month: a quota counts everything since the month began."""
GLOSSARIES_IN_MEMORY = 2**22
"""Bytes of topic glossaries on the log in memory: changes that are read at once, and kept by the gateway."""
ONE_PARTITION = (DEAD_LETTERS, USAGE, GLOSSARIES)
COMPACTED = (USAGE, GLOSSARIES)


@asynccontextmanager
async def open_log(settings: Settings, clock: Clock) -> AsyncIterator[Log]:
    """Open the log while the context lasts. Raises ``SetupError`` if Kafka is unreachable or topics are missing."""
    if settings.transport == MEMORY:
        in_memory = memory_log(settings, clock)
        async with alongside(_keep_trimmed(in_memory)):
            yield in_memory
    else:
        async with kafka_log(kafka_settings(settings), topic_plans(settings)) as log:
            yield log


async def _keep_trimmed(log: MemoryLog) -> None:
    while True:
        await asyncio.sleep(TRIM_INTERVAL)
        log.trim()


def memory_log(settings: Settings, clock: Clock) -> MemoryLog:
    """Create the log of a single process."""
    retention = {
        AUDIO: settings.audio_retention,
        CAPTIONS: settings.captions_retention,
        PARTIALS: PARTIALS_IN_MEMORY,
        DEAD_LETTERS: settings.captions_retention,
        GLOSSARIES: inf,
    }
    sizes = memory_sizes(settings)
    topics = {
        topic: TopicSettings(retention_bytes=sizes[topic], retention_seconds=seconds)
        for topic, seconds in retention.items()
    }
    return MemoryLog(topics, clock)


def memory_sizes(settings: Settings) -> dict[str, int]:
    """The capacity of each topic of the log in memory, in bytes."""
    return {
        AUDIO: settings.log_bytes,
        CAPTIONS: settings.captions_bytes,
        PARTIALS: settings.log_bytes // 8,
        DEAD_LETTERS: settings.log_bytes // 8,
        GLOSSARIES: GLOSSARIES_IN_MEMORY,
    }


def kafka_settings(settings: Settings) -> KafkaSettings:
    """The connection settings for Kafka. Raises ``SetupError`` if no broker is set, or the login is incomplete."""
    if settings.transport == MEMORY:
        raise SetupError("this command needs a log on Kafka: set --transport kafka://HOST:PORT")
    if settings.kafka_sasl != "none" and (settings.kafka_username is None or settings.kafka_password is None):
        raise SetupError(f"kafka_sasl {settings.kafka_sasl} needs kafka_username and kafka_password")
    return KafkaSettings(
        bootstrap=parse_address(settings.transport),
        prefix=settings.kafka_prefix,
        tls=settings.kafka_tls,
        tls_ca=settings.kafka_tls_ca,
        tls_certificate=settings.kafka_tls_certificate,
        tls_key=settings.kafka_tls_key,
        sasl=settings.kafka_sasl,
        username=settings.kafka_username,
        password=settings.kafka_password.get_secret_value() if settings.kafka_password is not None else None,
        session_timeout=settings.kafka_session_timeout,
        compression=settings.kafka_compression,
        start_timeout=settings.kafka_start_timeout,
    )


def topic_plans(settings: Settings) -> tuple[TopicPlan, ...]:
    """The topics on Kafka, according to the settings."""
    retention: dict[str, float | None] = {
        AUDIO: settings.audio_retention,
        CAPTIONS: settings.captions_retention,
        PARTIALS: PARTIALS_RETENTION,
        DEAD_LETTERS: DEAD_LETTERS_RETENTION,
        USAGE: USAGE_RETENTION,
        GLOSSARIES: None,
    }
    return tuple(
        TopicPlan(
            name=name,
            partitions=1 if name in ONE_PARTITION else settings.partitions,
            replication=settings.replication,
            retention_seconds=seconds,
            compacted=name in COMPACTED,
        )
        for name, seconds in retention.items()
    )
