"""Reading partitions outside any group, with one consumer for all partitions that a process follows."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from captions.errors import LogError
from captions.ports.log import Entry
from transport.kafka.connect import stop
from transport.kafka.entries import entry_of
from transport.kafka.errors import reason

logger = structlog.get_logger(__name__)

MAX_WAITING = 2000
"""The number of entries waiting for a reader at which its partition is paused."""

AT_A_TIME = 32
"""Entries given to a reader before the event loop runs. Each is about 0.05 ms of work."""

POLL_MS = 1000


@dataclass(eq=False, slots=True)
class Follower:
    """A reader of one partition. ``position`` is the next offset to fetch; ``entries`` wait to be read."""

    topic: str
    partition: TopicPartition
    position: int
    entries: deque[Entry] = field(default_factory=deque)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    paused: bool = False


class Tail:
    """Follows partitions with one consumer, with one follower per partition.

    aiokafka has no incremental assignment. When a partition is added or removed, all partitions are assigned again and
    the consumer seeks to the positions of their followers.
    """

    def __init__(self, consumer: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        self._consumer = consumer
        self._followers: dict[TopicPartition, Follower] = {}
        self._task: asyncio.Task[None] | None = None
        self._failure: LogError | None = None

    def free_for(self, partition: TopicPartition) -> bool:
        """Whether ``partition`` can be added to this tail."""
        return self._failure is None and partition not in self._followers

    def add(self, follower: Follower) -> None:
        """Start to read for ``follower``."""
        self._followers[follower.partition] = follower
        self._assign()

    async def remove(self, follower: Follower) -> None:
        """Stop reading for ``follower``."""
        del self._followers[follower.partition]
        if self._followers:
            self._assign()
        else:
            await self._stop()
            if not self._followers:  # another partition may have been added in the meantime
                self._consumer.pause(follower.partition)  # it stays assigned but is not fetched

    async def entries(self, follower: Follower) -> AsyncGenerator[Entry]:
        """Yield the entries for ``follower`` without end. Raises ``LogError`` after a failed fetch."""
        handed = 0
        while True:
            follower.changed.clear()
            while follower.entries:
                yield follower.entries.popleft()
                handed += 1
                if handed % AT_A_TIME == 0:
                    await asyncio.sleep(0)
                if follower.paused and len(follower.entries) < MAX_WAITING // 2:
                    follower.paused = False
                    self._consumer.resume(follower.partition)
            if self._failure is not None:
                raise self._failure
            await follower.changed.wait()

    async def close(self) -> None:
        """Stop reading."""
        await self._stop()
        await stop(self._consumer)

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _assign(self) -> None:
        self._consumer.assign(list(self._followers))
        for partition, follower in self._followers.items():
            self._consumer.seek(partition, follower.position)
            if follower.paused:
                self._consumer.pause(partition)
        if self._task is None:
            self._task = asyncio.create_task(self._pump(), name="kafka tail")

    async def _pump(self) -> None:
        while True:
            try:
                fetched = await self._consumer.getmany(timeout_ms=POLL_MS)
            except KafkaError as error:
                self._fail(error)
                return
            for partition, messages in fetched.items():
                if (follower := self._followers.get(partition)) is not None:
                    self._hand(follower, messages)

    def _hand(self, follower: Follower, messages: list[Any]) -> None:
        fresh = [message for message in messages if message.offset >= follower.position]
        if not fresh:
            return  # the follower starts beyond the end: skip the entries before its position
        follower.entries.extend(entry_of(follower.topic, message) for message in fresh)
        follower.position = fresh[-1].offset + 1
        follower.changed.set()
        if len(follower.entries) >= MAX_WAITING and not follower.paused:
            follower.paused = True
            self._consumer.pause(follower.partition)

    def _fail(self, error: KafkaError) -> None:
        logger.error("tail_failed", error=reason(error))
        self._failure = LogError(f"reading failed: {reason(error)}")
        for follower in self._followers.values():
            follower.changed.set()


class Tails:
    """A pool of tails. A partition with several followers needs several tails; one tail is nearly always enough."""

    def __init__(self, consumer: Callable[[], Any]) -> None:
        self._consumer = consumer
        self._tails: list[Tail] = []
        self._opening = asyncio.Lock()

    async def follow(self, follower: Follower) -> AsyncGenerator[Entry]:
        """Yield entries for ``follower`` without end. Raises ``LogError`` if Kafka fails permanently."""
        async with self._opening:
            tail = next((tail for tail in self._tails if tail.free_for(follower.partition)), None)
            if tail is None:
                consumer = self._consumer()
                try:
                    await consumer.start()
                except BaseException:  # it failed, or nobody reads any more
                    await stop(consumer)
                    raise
                tail = Tail(consumer)
                self._tails.append(tail)
            tail.add(follower)
        try:
            async with aclosing(tail.entries(follower)) as entries:
                async for entry in entries:
                    yield entry
                    del entry  # it may be deleted while the next is waited for
        finally:
            await tail.remove(follower)

    async def close(self) -> None:
        """Stop every tail."""
        await asyncio.gather(*(tail.close() for tail in self._tails))
