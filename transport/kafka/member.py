"""A member of a Kafka consumer group."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    InvalidSessionTimeoutError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from captions.errors import LogError, SetupError
from captions.ports.log import Assigned, Entry, Revoked
from transport.kafka.connect import stop
from transport.kafka.entries import entry_of
from transport.kafka.errors import as_log_errors

logger = structlog.get_logger(__name__)

MAX_ENTRIES = 500
FETCH_MS = 60_000

NOT_OURS = (
    CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError, UnknownMemberIdError,
)  # fmt: skip
"""Errors of a commit during a rebalance. The commit is repeated after the rebalance."""


class KafkaMember(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """The Member port on aiokafka's group consumer.

    aiokafka rebalances eagerly: it revokes all partitions and assigns them again. A partition that returns to this
    member at the committed offset that it knows is treated as kept: no event is reported, and reading continues.
    """

    def __init__(self, consumer: Any, topic: str, full_topic: str) -> None:  # noqa: ANN401 - aiokafka has no types
        self._consumer = consumer
        self._topic = topic
        self._full_topic = full_topic
        self._positions: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        self._paused: set[int] = set()
        self._events: list[Assigned | Revoked] = []
        self._changed = asyncio.Event()
        self._fetching: asyncio.Task[Any] | None = None

    async def poll(self, timeout: float) -> Sequence[Assigned | Revoked | Entry]:  # noqa: ASYNC109 - as the port has it
        """Return changes of ownership and entries, in order."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not (happened := self._take()):
            left = deadline - loop.time()
            if left <= 0:
                break
            await self._something(left)
        return happened

    async def commit(self, partition: int, offset: int) -> None:
        """Commit ``offset`` if this member owns the partition. During a rebalance, the commit waits for its end."""
        if partition in self._positions and offset > self._committed.get(partition, -1):
            self._wanted[partition] = offset
            await self._commit_wanted()

    def pause(self, partition: int) -> None:
        """Stop returning entries of ``partition`` until it is resumed."""
        if partition in self._positions:
            self._paused.add(partition)
            self._apply_pauses()

    def resume(self, partition: int) -> None:
        """Return entries of ``partition`` again."""
        if partition in self._paused:
            self._paused.discard(partition)
            place = self._place(partition)
            if place in self._consumer.assignment():
                self._consumer.resume(place)

    async def start(self) -> None:
        """Join the group. Raises ``LogError``, or ``SetupError`` if the brokers reject the session timeout."""
        self._consumer.subscribe([self._full_topic], listener=self)
        try:
            with as_log_errors("the group could not be joined"):
                await self._consumer.start()
        except LogError as error:
            if isinstance(error.__cause__, InvalidSessionTimeoutError):
                raise SetupError(
                    "the brokers reject kafka_session_timeout: lower their group.min.session.timeout.ms, or raise "
                    "kafka_session_timeout, which makes takeovers slower"
                ) from error
            raise

    async def leave(self) -> None:
        """Leave the group immediately."""
        self._positions.clear()
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        await stop(self._consumer)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """A rebalance begins. Nothing is reported yet, because most partitions come back."""

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """A rebalance ended. Report the partitions that were lost and gained."""
        if self._fetching is not None and self._fetching.done():
            self._fetching = None  # fetched for the previous assignment: kept partitions fetch it again
        commits = dict(
            zip((p.partition for p in assigned), await asyncio.gather(*map(self._start_of, assigned)), strict=True)
        )
        for partition in sorted(self._positions):
            if partition not in commits or commits[partition] != self._committed[partition]:
                self._lose(partition)
        for partition, offset in sorted(commits.items()):
            if partition not in self._positions:
                self._positions[partition] = self._committed[partition] = offset
                self._events.append(Assigned(partition, offset))
            self._consumer.seek(self._place(partition), self._positions[partition])
        self._apply_pauses()
        self._changed.set()

    def _lose(self, partition: int) -> None:
        del self._positions[partition]
        self._wanted.pop(partition, None)
        self._paused.discard(partition)
        self._events.append(Revoked(partition))

    async def _start_of(self, place: TopicPartition) -> int:
        """The group's committed offset, or the earliest offset if there is no commit or it is no longer retained."""
        committed = await self._consumer.committed(place)
        earliest = int((await self._consumer.beginning_offsets([place]))[place])
        if committed is not None and committed < earliest:
            logger.error("audio_expired", partition=place.partition, committed=committed, earliest=earliest)
        return earliest if committed is None else max(int(committed), earliest)

    async def _commit_wanted(self) -> None:
        wanted = {partition: offset for partition, offset in self._wanted.items() if partition in self._positions}
        if not wanted:
            return
        try:
            with as_log_errors("a commit failed"):
                await self._consumer.commit({self._place(partition): offset for partition, offset in wanted.items()})
        except LogError as error:
            if not isinstance(error.__cause__, NOT_OURS):
                raise
            return
        for partition, offset in wanted.items():
            if partition in self._positions:
                self._committed[partition] = offset
            if self._wanted.get(partition) == offset:
                del self._wanted[partition]

    async def _something(self, within: float) -> None:
        """Wait for entries or a change of ownership."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(
                self._consumer.getmany(timeout_ms=FETCH_MS, max_records=MAX_ENTRIES), name="kafka fetch"
            )
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({self._fetching, changed}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()

    def _take(self) -> list[Assigned | Revoked | Entry]:
        """The events and entries that are available now."""
        self._changed.clear()
        happened: list[Assigned | Revoked | Entry] = [*self._events]
        self._events.clear()
        if self._fetching is not None and self._fetching.done():
            fetched, self._fetching = self._fetching, None
            with as_log_errors("reading failed"):
                messages = fetched.result()
            for place, found in messages.items():
                happened += self._fresh(place.partition, found)
        return happened

    def _fresh(self, partition: int, messages: list[Any]) -> list[Entry]:
        position = self._positions.get(partition)
        if position is None:
            return []
        entries = [entry_of(self._topic, message) for message in messages if message.offset >= position]
        if entries:
            self._positions[partition] = entries[-1].offset + 1
        return entries

    def _apply_pauses(self) -> None:
        assignment = self._consumer.assignment()
        for place in map(self._place, self._paused):
            if place in assignment:
                self._consumer.pause(place)

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._full_topic, partition)
