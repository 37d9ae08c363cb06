"""Makes captions of hypotheses and appends them to the log."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import structlog

from captions.audio import SAMPLE_RATE, to_samples, to_seconds
from captions.caption import Caption, Pass, Version
from captions.gates import Screened, screen
from captions.language import AUTO
from captions.messages import caption_message
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.tracer import Tracer
from captions.records import CAPTIONS, DEAD_LETTERS, PARTIALS, write_room_event
from captions.words import Word
from inference.dead_letters import dead_utterance
from inference.decoders import Model
from inference.decoding import Failed
from inference.measuring import report_final, report_partial
from inference.settings import WorkerSettings
from inference.utterance import Utterance

UNDETERMINED = "und"

logger = structlog.get_logger(__name__)


class Topics(NamedTuple):
    """Names of the topics that a publisher writes to."""

    partials: str
    finals: str
    dead_letters: str


LIVE_TOPICS = Topics(partials=PARTIALS, finals=CAPTIONS, dead_letters=DEAD_LETTERS)
"""The topics that viewers and operators read."""


class Publisher:
    """Revises and publishes captions of utterances, as versions of pass ``pass_``, on ``topics``.

    Its methods raise ``LogError``.
    """

    def __init__(
        self,
        log: Log,
        clock: Clock,
        probe: Probe,
        settings: WorkerSettings,
        tracer: Tracer,
        *,
        pass_: Pass,
        topics: Topics,
    ) -> None:
        self._log = log
        self._clock = clock
        self._probe = probe
        self._settings = settings
        self._tracer = tracer
        self._pass = pass_
        self._topics = topics

    async def partial(
        self, utterance: Utterance, request: DecodeRequest, hypothesis: Hypothesis, model: Model, revision: int
    ) -> None:
        """Revise the utterance with the hypothesis. Publish a partial if its text or its stable words changed."""
        duration = len(request.pcm) / SAMPLE_RATE
        screened = self._screened(hypothesis, duration)
        if not screened.words:
            return
        window_start = to_seconds(utterance.start + utterance.window_start)
        on_track = [_on_track(word, window_start) for word in screened.words]
        utterance.revision.update(on_track, touches_end=not utterance.paused, agreement=self._settings.agreement)
        if request.aligned and (end := utterance.revision.trim(screened.words)) is not None:
            utterance.window_start += to_samples(end)
        caption = self._partial(utterance, hypothesis.language, revision)
        if (caption.text, caption.stable) == utterance.published:
            return
        utterance.published = (caption.text, caption.stable)
        stable = [word.text for word in utterance.revision.stable]
        with self._tracer.publishing(
            utterance.decode_trace, kind="partial", model=model.name, words=len(caption.words), gates=screened.fired
        ) as trace:
            record = write_room_event(
                caption.id.track.room, caption_message(caption), began=utterance.began, stable=stable, trace=trace
            )
            await self._log.append(self._topics.partials, record)
        report_partial(self._probe, utterance, caption, self._clock.wall())

    async def final(self, utterance: Utterance, hypothesis: Hypothesis | Failed, model: Model, revision: int) -> None:
        """Publish one final of the utterance. It is empty where nobody spoke or the decode failed.

        The audio of a failed decode is appended to the dead letters first.
        """
        screened = Screened((), ())
        language = language_of(utterance)
        if isinstance(hypothesis, Failed):
            logger.error("utterance_lost", **utterance.id.describe(), reason=hypothesis.reason)
            await self._log.append(self._topics.dead_letters, dead_utterance(utterance, hypothesis.reason))
            self._probe.dead_letter("utterance")
        else:
            screened, language = self._screened(hypothesis, utterance.seconds), hypothesis.language
            if hypothesis.redecoded:
                self._probe.redecoded(model.name)
        decoded_by = None if isinstance(hypothesis, Failed) else str(model)
        version = Version(self._pass, revision)
        caption = final_caption(utterance, language, screened.words, decoded_by, version)
        with self._tracer.publishing(
            utterance.decode_trace, kind="final", model=model.name, words=len(caption.words), gates=screened.fired
        ) as trace:
            heard = None if utterance.deleted or utterance.heard_after is None else utterance.heard_after.write()
            record = write_room_event(
                caption.id.track.room, caption_message(caption), began=utterance.began, heard=heard, trace=trace
            )
            await self._log.append(self._topics.finals, record)
        report_final(self._probe, utterance, caption, self._clock.wall())

    def _screened(self, hypothesis: Hypothesis, duration: float) -> Screened:
        screened = screen(hypothesis, duration, self._settings.gates)
        for gate in screened.fired:
            self._probe.gate_fired(gate)
        return screened

    def _partial(self, utterance: Utterance, language: str, revision: int) -> Caption:
        return Caption(
            id=utterance.id,
            speaker=utterance.settings.speaker,
            version=Version(self._pass, revision),
            final=False,
            language=language,
            start=to_seconds(utterance.start),
            end=to_seconds(utterance.start + utterance.samples),
            origin=utterance.settings.origin,
            words=utterance.revision.words,
            stable=len(utterance.revision.stable),
        )


def language_of(utterance: Utterance) -> str:
    """The language that the session names or was found out; BCP 47's ``und`` where there is none."""
    named = utterance.settings.language
    return utterance.language or UNDETERMINED if named == AUTO else named


def final_caption(
    utterance: Utterance, language: str, decoded: Sequence[Word], model: str | None, version: Version
) -> Caption:
    """The final caption of ``decoded``, whose times are from the utterance's first sample.

    It starts and ends with its words where they have times.
    """
    start = to_seconds(utterance.start)
    end = to_seconds(utterance.start + utterance.samples)
    words = tuple(_on_track(word, start) for word in decoded)
    if words and words[0].start is not None and words[-1].end is not None:
        start, end = words[0].start, max(words[0].start, words[-1].end)
    return Caption(
        id=utterance.id,
        speaker=utterance.settings.speaker,
        version=version,
        final=True,
        language=language,
        start=start,
        end=end,
        origin=utterance.settings.origin,
        words=words,
        stable=len(words),
        model=model,
    )


def _on_track(word: Word, start: float) -> Word:
    """The word with its times counted from the track's first sample, which is ``start`` seconds before the window."""
    if word.start is None or word.end is None:
        return word
    return replace(word, start=start + word.start, end=start + word.end)
