"""Hypotheses made into captions and put on the log."""

import structlog

from captions.audio import SAMPLE_RATE, to_samples, to_seconds
from captions.caption import Caption, Pass, Version
from captions.errors import RecordError
from captions.gates import Screened, screen
from captions.messages import caption_message
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Entry, Log
from captions.ports.probe import Probe
from captions.ports.tracer import Tracer
from captions.records import CAPTIONS, DEAD_LETTERS, PARTIALS, write_room_event
from captions.words import Word
from inference.dead_letters import dead_record, dead_utterance
from inference.decoding import Failed
from inference.measuring import measure_final, measure_partial
from inference.settings import WorkerSettings
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)


class Publisher:
    """Revises and publishes what was heard of utterances."""

    def __init__(self, log: Log, clock: Clock, probe: Probe, settings: WorkerSettings, tracer: Tracer) -> None:
        self._log = log
        self._clock = clock
        self._probe = probe
        self._settings = settings
        self._tracer = tracer

    async def partial(
        self, utterance: Utterance, request: DecodeRequest, hypothesis: Hypothesis, revision: int
    ) -> None:
        """Revise the utterance and publish it, if what is shown has changed."""
        duration = len(request.pcm) / SAMPLE_RATE
        screened = self._screened(hypothesis, duration)
        if not screened.words:
            return
        window_start = to_seconds(utterance.start + utterance.window_start)
        on_track = [_on_track(word, window_start) for word in screened.words]
        utterance.revision.update(on_track, touches_end=not utterance.paused)
        if request.aligned and (end := utterance.revision.trim(screened.words)) is not None:
            utterance.window_start += to_samples(end)
        shown = utterance.revision.words
        caption = self._caption(utterance, hypothesis.language, shown, revision, final=False)
        if (caption.text, caption.stable) == utterance.published:
            return
        utterance.published = (caption.text, caption.stable)
        stable = [word.text for word in utterance.revision.stable]
        with self._tracer.publishing(
            utterance.decode_trace, kind="partial", words=len(shown), gates=screened.fired
        ) as trace:
            record = write_room_event(caption.id.track.room, caption_message(caption), stable=stable, trace=trace)
            await self._log.append(PARTIALS, record)
        measure_partial(self._probe, utterance, caption, self._clock.wall())

    async def final(self, utterance: Utterance, hypothesis: Hypothesis | Failed, revision: int) -> None:
        """Publish the utterance's final: always exactly one, empty where nothing was said or nothing could be heard.

        What could not be heard goes to the dead letters first.
        """
        screened = Screened((), ())
        language = utterance.settings.language
        if isinstance(hypothesis, Failed):
            logger.error("utterance_lost", **utterance.id.describe(), reason=hypothesis.reason)
            await self._log.append(DEAD_LETTERS, dead_utterance(utterance, hypothesis.reason))
            self._probe.dead_letter("utterance")
        else:
            screened, language = self._screened(hypothesis, utterance.seconds), hypothesis.language
            if hypothesis.redecoded:
                self._probe.redecoded()
        caption = self._caption(utterance, language, screened.words, revision, final=True)
        with self._tracer.publishing(
            utterance.decode_trace, kind="final", words=len(caption.words), gates=screened.fired
        ) as trace:
            record = write_room_event(caption.id.track.room, caption_message(caption), trace=trace)
            await self._log.append(CAPTIONS, record)
        measure_final(self._probe, utterance, caption, self._clock.wall())

    async def unreadable(self, entry: Entry, error: RecordError) -> None:
        """A record of topic ``audio`` that cannot be understood goes to the dead letters as it is."""
        logger.warning("record_skipped", partition=entry.partition, offset=entry.offset, error=str(error))
        await self._log.append(DEAD_LETTERS, dead_record(entry, str(error)))
        self._probe.dead_letter("record")

    def _screened(self, hypothesis: Hypothesis, duration: float) -> Screened:
        screened = screen(hypothesis, duration, self._settings.gates)
        for gate in screened.fired:
            self._probe.gate_fired(gate)
        return screened

    @staticmethod
    def _caption(
        utterance: Utterance, language: str, words: tuple[Word, ...], revision: int, *, final: bool
    ) -> Caption:
        start = to_seconds(utterance.start)
        end = to_seconds(utterance.start + utterance.samples)
        if final:
            words = tuple(_on_track(word, start) for word in words)
            if words and words[0].start is not None and words[-1].end is not None:
                start, end = words[0].start, max(words[0].start, words[-1].end)
        return Caption(
            id=utterance.id,
            speaker=utterance.settings.speaker,
            version=Version(Pass.LIVE, revision),
            final=final,
            language=language,
            start=start,
            end=end,
            origin=utterance.settings.origin,
            words=words,
            stable=len(words) if final else len(utterance.revision.stable),
        )


def _on_track(word: Word, start: float) -> Word:
    """The word with its times counted from the track's first sample."""
    if word.start is None or word.end is None:
        return word
    return Word(word.text, start + word.start, start + word.end, word.confidence)
