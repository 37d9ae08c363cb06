"""The Kafka adapter against a real broker."""

import itertools
import os
from collections.abc import AsyncIterator

import pytest

from tests.transport.contract import LogContract
from transport.kafka import KafkaLog, KafkaSettings, TopicPlan, create_topics, kafka_log

pytestmark = pytest.mark.kafka

NUMBERS = itertools.count()


def settings_for(bootstrap: str) -> KafkaSettings:
    """Topics and groups of their own for each test."""
    return KafkaSettings(bootstrap=(bootstrap,), prefix=f"test-{os.getpid()}-{next(NUMBERS)}-", start_timeout=30)


def plan(name: str, partitions: int) -> TopicPlan:
    return TopicPlan(name=name, partitions=partitions, replication=1, retention_seconds=600)


PLANS = (plan("one", 1), plan("four", 4), plan("full", 1))


class TestKafkaLog(LogContract):
    @pytest.fixture
    async def log(self, bootstrap: str) -> AsyncIterator[KafkaLog]:
        settings = settings_for(bootstrap)
        await create_topics(settings, PLANS)
        async with kafka_log(settings, PLANS) as log:
            yield log

    async def test_erasing_says_when_retention_has_deleted_what_is_there(self, log: KafkaLog) -> None:
        segment, checked, removed = 150, 300, 60  # seconds: segment.ms as we create topics, and the brokers' defaults
        assert await log.erase("one", 0, 9, bool) == 600 + segment + checked + removed
