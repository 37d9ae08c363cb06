"""Usage over a real broker: gateways that start find what others counted, also after compaction's topic settings."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from captions.ports.usage import UsageLedger
from captions.records import USAGE
from livecaptions.logs import kafka_settings, topic_plans
from livecaptions.settings.fields import Settings
from streamer.usage import usage_on_log
from tests.streamer.usage_contract import UsageContract
from transport.kafka import create_topics, kafka_log

pytestmark = pytest.mark.kafka

NUMBERS = itertools.count()


class TestUsageOverKafka(UsageContract):
    @pytest.fixture(autouse=True)
    async def topics(self, bootstrap: str) -> None:
        prefix = f"usage-{os.getpid()}-{next(NUMBERS)}-"
        settings = Settings.model_validate(
            {"transport": f"kafka://{bootstrap}", "kafka_prefix": prefix, "partitions": 2}
        )
        self.settings = kafka_settings(settings)
        self.plans = [plan for plan in topic_plans(settings) if plan.name == USAGE]
        await create_topics(self.settings, self.plans)

    @asynccontextmanager
    async def open_on_kafka(self) -> AsyncIterator[UsageLedger]:
        async with (
            kafka_log(self.settings, self.plans) as log,
            usage_on_log(log, self.calendar, f"gateway-{next(NUMBERS)}") as usage,
        ):
            yield usage

    def open(self) -> AbstractAsyncContextManager[UsageLedger]:
        return self.open_on_kafka()

    async def test_two_gateways_count_together(self) -> None:
        async with self.open() as one:
            one.add("key:a", 10)
            async with self.open() as two:
                two.add("key:a", 5)
            async with self.open() as three:
                assert three.used("key:a") == 5  # the first writes within seconds
        async with self.open() as four:
            assert four.used("key:a") == 15
