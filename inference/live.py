"""Captions while people speak: partial decodes as utterances grow, and a final decode when they end."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from captions.audio import to_samples
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.probe import Probe
from captions.ports.tracer import Tracer
from captions.words import join
from inference.behind import audio_behind
from inference.decoders import Decoder, Decoders, Model
from inference.decoding import Failed, decode_each
from inference.intake import Intake
from inference.publishing import UNDETERMINED, Publisher, language_of
from inference.scheduler import Batch, Scheduler
from inference.session_language import SessionLanguages
from inference.settings import WorkerSettings
from inference.spare_time import SpareTime
from inference.terms import hear_terms
from inference.utterance import Utterance

REPORT_INTERVAL = 1.0
"""Seconds between two reports of what waits."""

SHORTEST = to_samples(0.1)
"""Samples; less audio holds no word and is not decoded."""

NOTHING = Hypothesis(words=(), language=UNDETERMINED)
"""The result for too little audio; a caption of it is in the language of its session."""


class Live:
    """Decodes the utterances of ``intake`` in the scheduler's order and publishes partials and finals of them."""

    def __init__(
        self,
        intake: Intake,
        decoders: Decoders,
        publisher: Publisher,
        languages: SessionLanguages,
        *,
        clock: Clock,
        probe: Probe,
        tracer: Tracer,
        settings: WorkerSettings,
        spare_time: SpareTime | None = None,
    ) -> None:
        self._intake = intake
        self._decoders = decoders
        self._publisher = publisher
        self._languages = languages
        self._clock = clock
        self._probe = probe
        self._tracer = tracer
        self._settings = settings
        self._scheduler = Scheduler(settings, decoders.batch_key)
        self._spare_time = spare_time or SpareTime(settings.decoders)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Work until the tasks are cancelled. Raises ``LogError`` in ``tasks`` where the log fails."""
        for number in range(self._settings.decoders):
            tasks.create_task(self._work(), name=f"live decodes {number}")
        tasks.create_task(self._report_each_interval(), name="live reports")

    def report(self) -> None:
        """Report to the probe what waits now."""
        utterances = self._intake.utterances
        waits, now = self._scheduler.waits, self._clock.wall()
        self._probe.queue_depth(self._scheduler.waiting(utterances))
        self._probe.audio_behind(audio_behind(utterances, utterances.partitions, waits, now))
        self._probe.streams(utterances.streams(self._clock.monotonic()))

    async def _report_each_interval(self) -> None:
        while True:
            self.report()
            await asyncio.sleep(REPORT_INTERVAL)

    async def _work(self) -> None:
        while True:
            batch = self._scheduler.next(self._intake.utterances, decoders=self._spare_time.idle)
            if batch is None:
                await self._intake.changed()
                continue
            with self._spare_time.taken():
                await self._decode_batch(batch)

    async def _decode_batch(self, batch: Batch) -> None:
        """Decode a batch, which has one model, publish its captions, and commit where they are final."""
        decoder = self._decoders.named(batch.utterances[0].settings.model)
        unhurried = self._nothing_waits_for(batch)
        for utterance in batch.utterances:
            utterance.decoding = True
        await self._languages.recall(batch.utterances, final=batch.final)
        requests = [self._request(utterance, final=batch.final, unhurried=unhurried) for utterance in batch.utterances]
        revisions = [utterance.version for utterance in batch.utterances]
        for utterance in batch.utterances:
            utterance.decoded_samples = utterance.samples
        results = await self._decode(decoder, batch, requests)
        for utterance, request, result, revision in zip(batch.utterances, requests, results, revisions, strict=True):
            utterance.decoding = False
            utterance.decoded(utterance.decoded_samples)
            if self._intake.utterances.holds(utterance):
                await self._publish(utterance, request, result, decoder.model, revision)
        if batch.final:
            await self._intake.commit({utterance.partition for utterance in batch.utterances})

    async def _decode(
        self, decoder: Decoder, batch: Batch, requests: Sequence[DecodeRequest]
    ) -> list[Hypothesis | Failed]:
        """One result for each request, reported and traced."""
        began = self._clock.monotonic()
        long_enough = [request for request in requests if len(request.pcm) >= SHORTEST]
        attempts = self._settings.attempts
        decoded = iter(await decode_each(decoder, long_enough, self._probe, attempts) if long_enough else [])
        results = [next(decoded) if len(request.pcm) >= SHORTEST else NOTHING for request in requests]
        if batch.final:
            results = await self._languages.finals(
                batch.utterances, requests, results, lambda again: decode_each(decoder, again, self._probe, attempts)
            )
        vocabularies = [utterance.settings.vocabulary for utterance in batch.utterances]
        results = await hear_terms(
            decoder, requests, results, vocabularies, probe=self._probe, gates=self._settings.gates
        )
        took = self._clock.monotonic() - began
        audio = sum(len(request.pcm) for request in requests) / to_samples(1)
        kind = "final" if batch.final else "partial"
        self._probe.decoded(kind, decoder.model.name, len(requests), audio, took)
        for utterance, request, result in zip(batch.utterances, requests, results, strict=True):
            utterance.decode_trace = self._tracer.decoded(
                utterance.trace,
                kind=kind,
                model=decoder.model.name,
                batch=len(requests),
                audio=len(request.pcm) / to_samples(1),
                took=took,
                redecoded=isinstance(result, Hypothesis) and result.redecoded,
                failed=isinstance(result, Failed),
            )
        return results

    def _nothing_waits_for(self, batch: Batch) -> bool:
        """Whether the batch is all there is to decode now."""
        return len(batch.utterances) == 1 and self._scheduler.waiting(self._intake.utterances) == 1

    def _request(self, utterance: Utterance, *, final: bool, unhurried: bool) -> DecodeRequest:
        settings = utterance.settings
        if final:
            whole = utterance.whole()
            request = DecodeRequest(pcm=whole, language=settings.language, final=True)
            return self._languages.request(utterance, request)
        window = utterance.window()
        request = DecodeRequest(
            pcm=window,
            language=settings.language,
            context=join(utterance.revision.trimmed, utterance.language or settings.language),
            aligned=len(window) > to_samples(self._settings.longest_window),
            unhurried=unhurried,
        )
        return self._languages.request(utterance, request)

    async def _publish(
        self, utterance: Utterance, request: DecodeRequest, result: Hypothesis | Failed, model: Model, revision: int
    ) -> None:
        if utterance.deleted or len(request.pcm) < SHORTEST:
            result = replace(NOTHING, language=language_of(utterance))
        if request.final:
            await self._publisher.final(utterance, result, model, revision)
            self._languages.published(utterance)
            self._intake.finish(utterance, revision)
        elif isinstance(result, Hypothesis) and not utterance.complete:
            self._languages.partial(utterance, request, result)
            await self._publisher.partial(utterance, request, result, model, revision)
