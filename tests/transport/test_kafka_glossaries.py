"""Glossaries over a real broker: gateways see each other's changes, also after a restart."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer

from captions.errors import SetupError
from captions.ports.glossaries import Glossaries
from captions.records import GLOSSARIES
from livecaptions.logs import kafka_settings, topic_plans
from livecaptions.settings.fields import Settings
from streamer.glossaries import glossaries_on_log
from tests.streamer.glossaries_contract import HALL, GlossariesContract
from tests.support import terms
from transport.kafka import TopicPlan, create_topics, kafka_log

pytestmark = pytest.mark.kafka

NUMBERS = itertools.count()


class TestGlossariesOverKafka(GlossariesContract):
    @pytest.fixture(autouse=True)
    async def topics(self, bootstrap: str) -> None:
        prefix = f"glossaries-{os.getpid()}-{next(NUMBERS)}-"
        settings = Settings.model_validate({"transport": f"kafka://{bootstrap}", "kafka_prefix": prefix})
        self.settings = kafka_settings(settings)
        self.plans = [plan for plan in topic_plans(settings) if plan.name == GLOSSARIES]
        await create_topics(self.settings, self.plans)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Glossaries]:
        async with kafka_log(self.settings, self.plans) as log, glossaries_on_log(log) as glossaries:
            yield glossaries

    def open(self) -> AbstractAsyncContextManager[Glossaries]:
        return self.opened()

    async def test_a_glossary_that_is_deleted_is_a_tombstone(self) -> None:
        async with kafka_log(self.settings, self.plans) as log, glossaries_on_log(log) as glossaries:
            await glossaries.put(HALL, terms("pod"))
            await glossaries.put(HALL, ())
            consumer = AIOKafkaConsumer(self.settings.prefix + GLOSSARIES, **self.settings.reader())
            await consumer.start()
            try:
                await consumer.seek_to_beginning()
                values = [(await consumer.getone()).value for _ in range(2)]
            finally:
                await consumer.stop()
            assert values == [b'{"terms":["pod"]}', None]

    async def test_a_topic_that_forgets_is_refused(self) -> None:
        settings = replace(self.settings, prefix=f"{self.settings.prefix}forgets-")
        forgets = TopicPlan(name=GLOSSARIES, partitions=1, replication=1, retention_seconds=600)
        await create_topics(settings, [forgets])
        with pytest.raises(SetupError, match=r"cleanup\.policy=compact"):
            async with kafka_log(settings, self.plans):
                pass
