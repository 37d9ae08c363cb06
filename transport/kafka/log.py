"""The Log port on Kafka."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

from captions.errors import LogError
from captions.ports.log import Bounds, Entry, Member, Record
from transport.kafka.connect import connected
from transport.kafka.entries import MILLISECONDS
from transport.kafka.errors import as_log_errors, reason
from transport.kafka.member import KafkaMember
from transport.kafka.settings import KafkaSettings
from transport.kafka.tail import Follower, Tails
from transport.kafka.topics import TopicFacts, TopicPlan, check_topics
from transport.partitioner import partition_of

logger = structlog.get_logger(__name__)

RETRY_PAUSE = 0.2


@asynccontextmanager
async def kafka_log(settings: KafkaSettings, topics: Sequence[TopicPlan]) -> AsyncIterator["KafkaLog"]:
    """Connect to the brokers and check the topics. Raises ``SetupError``."""
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(connected(AIOKafkaAdminClient(**settings.connection()), settings))
        facts = await check_topics(admin, settings, topics)
        producer = await stack.enter_async_context(connected(AIOKafkaProducer(**settings.producer()), settings))
        offsets = await stack.enter_async_context(connected(AIOKafkaConsumer(**settings.reader()), settings))
        log = KafkaLog(settings, facts, producer, offsets)
        stack.push_async_callback(log.close)
        yield log


class KafkaLog:
    """Topics on Kafka.

    ``facts`` are those of each topic. ``offsets`` is a consumer that looks up offsets. An append
    waits while the brokers do not answer: aiokafka's idempotent producer repeats it, in order and without duplicates.
    """

    shared = True

    def __init__(self, settings: KafkaSettings, facts: Mapping[str, TopicFacts], producer: Any, offsets: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        self._settings = settings
        self._facts = dict(facts)
        self._producer = producer
        self._offsets = offsets
        self._tails = Tails(lambda: AIOKafkaConsumer(**settings.reader()))

    def partitions(self, topic: str) -> int:
        """The number of partitions of ``topic`` when this process started."""
        try:
            return self._facts[topic].partitions
        except KeyError:
            raise LogError(f"there is no topic {topic!r}; there are {', '.join(self._facts)}") from None

    def partition_of(self, topic: str, key: str) -> int:
        """The partition for records with ``key``."""
        return partition_of(key, self.partitions(topic))

    async def append(self, topic: str, record: Record) -> int:
        """Append and return the offset once every in-sync replica has the record. Waits for unreachable brokers."""
        partition = self.partition_of(topic, record.key)
        value = None if not record.value and self._facts[topic].compacted else record.value
        while True:
            try:
                metadata = await self._producer.send_and_wait(
                    self._settings.prefix + topic,
                    value,
                    key=record.key.encode(),
                    partition=partition,
                    headers=list(record.headers.items()),
                )
            except KafkaError as error:
                if not error.retriable:
                    raise LogError(f"topic {topic!r} rejected a record: {reason(error)}") from error
                logger.warning("append_waits", topic=topic, partition=partition, error=reason(error))
                await asyncio.sleep(RETRY_PAUSE)
            else:
                return int(metadata.offset)

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """The current offsets of the partition. Kafka's offsets begin at 0."""
        place = self._place(topic, partition)
        with as_log_errors(f"the offsets of partition {partition} of topic {topic!r} cannot be read"):
            earliest, end = await asyncio.gather(
                self._offsets.beginning_offsets([place]), self._offsets.end_offsets([place])
            )
        return Bounds(0, int(earliest[place]), int(end[place]))

    async def offset_at(self, topic: str, partition: int, wall: float) -> int:
        """The first offset appended at ``wall`` (epoch seconds) or later; the end if there is none."""
        place = self._place(topic, partition)
        with as_log_errors(f"partition {partition} of topic {topic!r} cannot be searched by time"):
            found = (await self._offsets.offsets_for_times({place: round(wall * MILLISECONDS)}))[place]
        return int(found.offset) if found is not None else (await self.bounds(topic, partition)).end

    async def erase(self, topic: str, partition: int, *_: object, **__: object) -> float | None:
        """Return when the topic's retention has deleted what it holds now: Kafka deletes no single records."""
        self._place(topic, partition)
        return self._facts[topic].gone_after

    async def read(self, topic: str, partition: int, start: int) -> AsyncGenerator[Entry]:
        """Yield entries from ``start`` without end."""
        follower = Follower(topic, self._place(topic, partition), start)
        with as_log_errors(f"partition {partition} of topic {topic!r} cannot be read"):
            async with aclosing(self._tails.follow(follower)) as entries:
                async for entry in entries:
                    yield entry
                    del entry  # it may be deleted while the next is waited for

    @asynccontextmanager
    async def join(self, topic: str, group: str) -> AsyncIterator[Member]:
        """Join ``group``."""
        self.partitions(topic)
        consumer = AIOKafkaConsumer(
            group_id=self._settings.prefix + group,
            # partitions that stay with a member are not replayed
            partition_assignment_strategy=(StickyPartitionAssignor,),
            **self._settings.member(),
        )
        member = KafkaMember(consumer, topic, self._settings.prefix + topic)
        try:
            await member.start()
            yield member
        finally:
            await member.leave()

    async def close(self) -> None:
        """Stop reading."""
        await self._tails.close()

    def _place(self, topic: str, partition: int) -> TopicPartition:
        if not 0 <= partition < self.partitions(topic):
            raise LogError(f"topic {topic!r} has no partition {partition}; it has 0 to {self.partitions(topic) - 1}")
        return TopicPartition(self._settings.prefix + topic, partition)
