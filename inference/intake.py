"""Audio from the log to utterances: what one member of a consumer group reads, holds, and commits."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from captions.errors import LogError, RecordError
from captions.ports.clock import Clock
from captions.ports.log import Assigned, Entry, Log, Member, Revoked
from captions.ports.probe import Probe
from captions.records import AUDIO, DEAD_LETTERS
from inference.dead_letters import dead_record
from inference.orphans import Orphans
from inference.recall import recall
from inference.settings import WorkerSettings
from inference.utterance import Utterance
from inference.utterances import Utterances

logger = structlog.get_logger(__name__)

POLL_TIMEOUT = 1.0
"""Seconds."""

COMMIT_INTERVAL = 5.0
"""Seconds between two commits where nothing becomes final: marks are not read again either."""

LAG_INTERVAL = 5.0
"""Seconds between two reports of how far the group's commits are behind."""


class Intake:
    """Builds utterances from topic ``audio`` for one consumer, which takes them from ``utterances``.

    ``member`` is the membership of the consumer's group. The consumer waits for ``changed``, sets ``decoding`` on what
    it works on, calls ``finish`` with what it is done with, and then ``commit``. What was not finished when the
    membership ends is read again by the partition's next owner. The intake of ``live`` captions recalls what partials
    said before a takeover, and puts records that cannot be read on the dead letters; others leave both to it.
    """

    def __init__(
        self, log: Log, member: Member, clock: Clock, probe: Probe, settings: WorkerSettings, *, live: bool = True
    ) -> None:
        self._log = log
        self._member = member
        self._clock = clock
        self._probe = probe
        self._live = live
        self._most_buffered = settings.most_buffered
        self._orphans = Orphans(log, settings.orphan_timeout)
        self._changes = asyncio.Event()
        self._paused: set[int] = set()
        self._committed_at = 0.0
        self._replay_ends: dict[int, int] = {}
        self._commits: dict[int, int] = {}
        self.utterances = Utterances()
        """The utterances of owned partitions that are not finished."""
        self.joined = False
        """Whether the group has answered."""

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Read until the tasks are cancelled. Raises ``LogError`` in ``tasks`` where the log fails."""
        tasks.create_task(self._read(tasks), name="intake reads")
        tasks.create_task(self._report_lag(), name="intake reports its lag")

    def close(self) -> None:
        """Own no partition any more: the membership is over."""
        self.joined = False
        for partition in self.utterances.partitions:
            self._revoke(partition)

    async def changed(self) -> None:
        """Wait until utterances may have come or grown."""
        self._changes.clear()
        await self._changes.wait()

    @property
    def excess(self) -> float:
        """Seconds of audio to let go of until paused partitions are read again; 0 where none is paused."""
        return max(0.0, self.utterances.buffered - self._most_buffered / 2) if self._paused else 0.0

    async def has_read_all(self, partition: int) -> bool:
        """Whether every entry of the partition was read. Raises ``LogError``."""
        return (await self._log.bounds(AUDIO, partition)).end <= self.utterances.position(partition)

    def finish(self, utterance: Utterance, version: int) -> None:
        """The consumer is done with the utterance as it was at ``version``: audio after that reopens it."""
        self.utterances.finish(utterance, version)

    async def commit(self, partitions: Iterable[int]) -> None:
        """Commit the partitions that are owned, up to their oldest utterance that is not finished.

        Raises ``LogError``.
        """
        for partition in partitions:
            watermark = self.utterances.watermark(partition)
            if watermark is not None:
                await self._member.commit(partition, watermark)
            if watermark is not None and partition in self._commits:  # it may have been revoked meanwhile
                self._commits[partition] = watermark

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            events = await self._member.poll(POLL_TIMEOUT)
            self.joined = True
            now = self._clock.monotonic()
            owned = set(self.utterances.partitions)
            taken_over: list[tuple[Utterance, float]] = []
            for event in events:
                opened = await self._take(event, now)
                if opened is None or not isinstance(event, Entry) or not self._live:
                    continue
                if await self._is_replay(event):
                    opened.decoding = True  # not before its stable words are known
                    taken_over.append((opened, event.timestamp))
            if owned != set(self.utterances.partitions):
                self._probe.rebalanced()
            if taken_over:
                tasks.create_task(self._recall(taken_over), name="intake recalls")
            await self._orphans.give_up(self.utterances, now, self._clock.wall())
            self._limit()
            if now - self._committed_at >= COMMIT_INTERVAL:
                self._committed_at = now
                await self.commit(self.utterances.partitions)
            self._changes.set()

    async def _take(self, event: Assigned | Revoked | Entry, now: float) -> Utterance | None:
        """The utterance that the event opens; None for other events."""
        match event:
            case Assigned(partition, offset):
                self.utterances.assign(partition, offset)
                self._replay_ends.pop(partition, None)
                self._commits[partition] = offset
                self._probe.partition_assigned(partition)
                logger.info("partition_assigned", partition=partition, offset=offset)
            case Revoked(partition):
                self._revoke(partition)
                logger.info("partition_revoked", partition=partition)
            case Entry():
                try:
                    return self.utterances.add(event, now)
                except RecordError as error:
                    await self._put_aside(event, error)
        return None

    def _revoke(self, partition: int) -> None:
        self.utterances.revoke(partition)
        self._paused.discard(partition)
        self._commits.pop(partition, None)
        self._probe.partition_revoked(partition)

    async def _put_aside(self, entry: Entry, error: RecordError) -> None:
        """A record that cannot be read goes to the dead letters unchanged."""
        logger.warning("record_skipped", partition=entry.partition, offset=entry.offset, error=str(error))
        if not self._live:
            return
        await self._log.append(DEAD_LETTERS, dead_record(entry, str(error)))
        self._probe.dead_letter("record")

    async def _is_replay(self, entry: Entry) -> bool:
        """Whether the entry was on the log before this member began to read its partition."""
        if entry.partition not in self._replay_ends:
            self._replay_ends[entry.partition] = (await self._log.bounds(AUDIO, entry.partition)).end
        return entry.offset < self._replay_ends[entry.partition]

    async def _recall(self, taken_over: Sequence[tuple[Utterance, float]]) -> None:
        utterances = [utterance for utterance, _ in taken_over]
        await recall(self._log, utterances, min(since for _, since in taken_over))
        for utterance in utterances:
            utterance.decoding = False
        self._changes.set()

    def _limit(self) -> None:
        """Stop reading partitions while too much audio is buffered; the membership goes on."""
        if self.utterances.buffered > self._most_buffered:
            for partition in {utterance.partition for utterance in self.utterances} - self._paused:
                self._member.pause(partition)
                self._paused.add(partition)
        elif self._paused and self.utterances.buffered <= self._most_buffered / 2:
            for partition in self._paused:
                self._member.resume(partition)
            self._paused.clear()

    async def _report_lag(self) -> None:
        while True:
            await asyncio.gather(*map(self._report_lag_of, self.utterances.partitions))
            await asyncio.sleep(LAG_INTERVAL)

    async def _report_lag_of(self, partition: int) -> None:
        try:
            end = (await self._log.bounds(AUDIO, partition)).end
        except LogError as error:
            logger.warning("lag_unknown", partition=partition, error=str(error))
            return
        if (committed := self._commits.get(partition)) is not None:
            self._probe.consumer_lag(partition, max(0, end - committed))
