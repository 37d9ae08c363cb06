"""The worker: audio from the log, captions to the log."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from captions.audio import to_samples
from captions.caption import Pass
from captions.errors import LogError, RecordError
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Assigned, Entry, Log, Member, Revoked
from captions.ports.probe import Probe
from captions.ports.tracer import NO_TRACES, Tracer
from captions.records import AUDIO, DEAD_LETTERS
from captions.words import join
from inference.behind import audio_behind
from inference.dead_letters import dead_record
from inference.decoders import Decoder, Decoders, Model
from inference.decoding import Failed, decode_each
from inference.orphans import Orphans
from inference.publishing import LIVE_TOPICS, Publisher
from inference.recall import recall
from inference.scheduler import Batch, Scheduler
from inference.settings import WorkerSettings
from inference.utterance import Utterance
from inference.utterances import Utterances

logger = structlog.get_logger(__name__)

POLL_TIMEOUT = 1.0

COMMIT_INTERVAL = 5.0
"""Seconds between two commits where nothing becomes final: marks are not read again either."""

OBSERVE_INTERVAL = 1.0
LAG_INTERVAL = 5.0
"""Seconds between two looks at how far this worker, and its group's commits, are behind."""


class Worker:
    """One member of a consumer group on topic ``audio``.

    ``run`` goes on until it is cancelled; what was not final then is replayed by whoever takes over.
    """

    def __init__(
        self,
        log: Log,
        decoders: Decoders,
        clock: Clock,
        probe: Probe,
        settings: WorkerSettings,
        *,
        tracer: Tracer = NO_TRACES,
        group: str = "live",
    ) -> None:
        self._log = log
        self._decoders = decoders
        self._clock = clock
        self._probe = probe
        self._tracer = tracer
        self._settings = settings
        self._group = group
        self._scheduler = Scheduler(settings, decoders.batch_key)
        self._publisher = Publisher(log, clock, probe, settings, tracer, by=Pass.LIVE, topics=LIVE_TOPICS)
        self._orphans = Orphans(log, settings.orphan_timeout)
        self._utterances = Utterances()
        self._news = asyncio.Event()
        self._free_decoders = settings.decoders
        self._paused: set[int] = set()
        self._committed = 0.0
        self._replayed: dict[int, int] = {}
        self._commits: dict[int, int] = {}
        self.joined = False
        """Whether it is a member of its group now, and the group has answered."""

    async def run(self) -> None:
        """Work until cancelled."""
        self._utterances = Utterances()
        self._paused = set()
        self._free_decoders = self._settings.decoders
        try:
            async with self._log.join(AUDIO, self._group) as member, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(member, tasks), name="worker listens")
                for number in range(self._settings.decoders):
                    tasks.create_task(self._work(member), name=f"worker decodes {number}")
                tasks.create_task(self._observe(), name="worker observes")
                tasks.create_task(self._tell_lag(), name="worker tells its lag")
        finally:
            self.joined = False
            for partition in self._utterances.partitions:
                self._revoke(partition)
            self._tell()

    async def _listen(self, member: Member, tasks: asyncio.TaskGroup) -> None:
        while True:
            happened = await member.poll(POLL_TIMEOUT)
            self.joined = True
            now = self._clock.monotonic()
            owned = set(self._utterances.partitions)
            taken_over: list[tuple[Utterance, float]] = []
            for event in happened:
                begun = await self._take(event, now)
                if begun is not None and isinstance(event, Entry) and await self._was_heard_before(event):
                    begun.decoding = True  # not before its stable words are known
                    taken_over.append((begun, event.timestamp))
            if owned != set(self._utterances.partitions):
                self._probe.rebalanced()
            if taken_over:
                tasks.create_task(self._recall(taken_over), name="worker recalls")
            await self._orphans.give_up(self._utterances, now, self._clock.wall())
            self._limit(member)
            if now - self._committed >= COMMIT_INTERVAL:
                self._committed = now
                await self._commit(self._utterances.partitions, member)
            self._news.set()

    async def _take(self, event: Assigned | Revoked | Entry, now: float) -> Utterance | None:
        """The utterance that the event opens, if it does."""
        match event:
            case Assigned(partition, offset):
                self._utterances.assign(partition, offset)
                self._replayed.pop(partition, None)
                self._commits[partition] = offset
                self._probe.partition_assigned(partition)
                logger.info("partition_assigned", partition=partition, offset=offset)
            case Revoked(partition):
                self._revoke(partition)
                logger.info("partition_revoked", partition=partition)
            case Entry():
                try:
                    return self._utterances.hear(event, now)
                except RecordError as error:
                    logger.warning("record_skipped", partition=event.partition, offset=event.offset, error=str(error))
                    await self._log.append(DEAD_LETTERS, dead_record(event, str(error)))
                    self._probe.dead_letter("record")
        return None

    def _revoke(self, partition: int) -> None:
        self._utterances.revoke(partition)
        self._paused.discard(partition)
        self._commits.pop(partition, None)
        self._probe.partition_revoked(partition)

    async def _was_heard_before(self, entry: Entry) -> bool:
        """Whether the entry was on the log already when its partition came to be read here."""
        if entry.partition not in self._replayed:
            self._replayed[entry.partition] = (await self._log.bounds(AUDIO, entry.partition)).end
        return entry.offset < self._replayed[entry.partition]

    async def _recall(self, taken_over: Sequence[tuple[Utterance, float]]) -> None:
        utterances = [utterance for utterance, _ in taken_over]
        await recall(self._log, utterances, min(since for _, since in taken_over))
        for utterance in utterances:
            utterance.decoding = False
        self._news.set()

    def _limit(self, member: Member) -> None:
        """Read the log no further while too much audio waits; membership goes on."""
        if self._utterances.buffered > self._settings.most_buffered:
            for partition in {utterance.partition for utterance in self._utterances} - self._paused:
                member.pause(partition)
                self._paused.add(partition)
        elif self._paused and self._utterances.buffered < self._settings.most_buffered / 2:
            for partition in self._paused:
                member.resume(partition)
            self._paused.clear()

    async def _work(self, member: Member) -> None:
        while True:
            batch = self._scheduler.next(self._utterances, decoders=self._free_decoders)
            if batch is None:
                self._news.clear()
                await self._news.wait()
                continue
            self._free_decoders -= 1
            await self._decode_batch(batch, member)
            self._free_decoders += 1

    async def _decode_batch(self, batch: Batch, member: Member) -> None:
        requests = [self._request(utterance, final=batch.final) for utterance in batch.utterances]
        revisions = [utterance.version for utterance in batch.utterances]
        for utterance in batch.utterances:
            utterance.decoding = True
            utterance.decoded_samples = utterance.samples
        began = self._clock.monotonic()
        decoder = self._decoders.named(batch.utterances[0].settings.model)
        hypotheses = await self._decode_all(decoder, requests)
        audio = sum(len(request.pcm) for request in requests) / to_samples(1)
        kind = "final" if batch.final else "partial"
        took = self._clock.monotonic() - began
        self._probe.decoded(kind, decoder.model.name, len(requests), audio, took)
        self._trace(batch, decoder.model, requests, hypotheses, took)
        for utterance, request, hypothesis, revision in zip(
            batch.utterances, requests, hypotheses, revisions, strict=True
        ):
            utterance.decoding = False
            utterance.decoded(utterance.decoded_samples)
            if self._utterances.owns(utterance):
                await self._publish(utterance, request, hypothesis, decoder.model, revision)
        if batch.final:
            await self._commit({utterance.partition for utterance in batch.utterances}, member)

    def _trace(
        self,
        batch: Batch,
        model: Model,
        requests: Sequence[DecodeRequest],
        hypotheses: Sequence[Hypothesis | Failed],
        took: float,
    ) -> None:
        for utterance, request, hypothesis in zip(batch.utterances, requests, hypotheses, strict=True):
            utterance.decode_trace = self._tracer.decoded(
                utterance.trace,
                kind="final" if batch.final else "partial",
                model=model.name,
                batch=len(requests),
                audio=len(request.pcm) / to_samples(1),
                took=took,
                redecoded=isinstance(hypothesis, Hypothesis) and hypothesis.redecoded,
                failed=isinstance(hypothesis, Failed),
            )

    async def _decode_all(self, decoder: Decoder, requests: Sequence[DecodeRequest]) -> list[Hypothesis | Failed]:
        """Audio too short to hold a word is not worth a decode."""
        heard = [request for request in requests if len(request.pcm) >= to_samples(0.1)]
        found = iter(await decode_each(decoder, heard, self._probe, self._settings.attempts) if heard else [])
        nothing = Hypothesis(words=(), language="en")
        return [next(found) if len(request.pcm) >= to_samples(0.1) else nothing for request in requests]

    def _request(self, utterance: Utterance, *, final: bool) -> DecodeRequest:
        settings = utterance.settings
        if final:
            return DecodeRequest(
                pcm=utterance.whole(), language=settings.language, vocabulary=settings.vocabulary, final=True
            )
        window = utterance.window()
        return DecodeRequest(
            pcm=window,
            language=settings.language,
            context=join(utterance.revision.trimmed, settings.language),
            vocabulary=settings.vocabulary,
            aligned=len(window) > to_samples(self._settings.longest_window),
        )

    async def _publish(
        self, utterance: Utterance, request: DecodeRequest, hypothesis: Hypothesis | Failed, model: Model, revision: int
    ) -> None:
        if request.final:
            await self._publisher.final(utterance, hypothesis, model, revision)
            self._utterances.finished(utterance, revision)
        elif isinstance(hypothesis, Hypothesis) and not utterance.complete:
            await self._publisher.partial(utterance, request, hypothesis, model, revision)

    async def _commit(self, partitions: Iterable[int], member: Member) -> None:
        for partition in partitions:
            watermark = self._utterances.watermark(partition)
            if watermark is not None:
                await member.commit(partition, watermark)
            if watermark is not None and partition in self._commits:  # it may have been revoked meanwhile
                self._commits[partition] = watermark

    async def _observe(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(OBSERVE_INTERVAL)

    def _tell(self) -> None:
        utterances = self._utterances
        waits, now = self._scheduler.waits, self._clock.wall()
        self._probe.queue_depth(self._scheduler.waiting(utterances))
        self._probe.audio_behind(audio_behind(utterances, utterances.partitions, waits, now))
        self._probe.streams(utterances.streams(self._clock.monotonic()))

    async def _tell_lag(self) -> None:
        while True:
            await asyncio.gather(*map(self._lag_of, self._utterances.partitions))
            await asyncio.sleep(LAG_INTERVAL)

    async def _lag_of(self, partition: int) -> None:
        try:
            end = (await self._log.bounds(AUDIO, partition)).end
        except LogError as error:
            logger.warning("lag_unknown", partition=partition, error=str(error))
            return
        if (committed := self._commits.get(partition)) is not None:
            self._probe.consumer_lag(partition, max(0, end - committed))
