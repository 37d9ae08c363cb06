"""One window of the second pass: decoded, its words given back to its utterances, and changed captions published."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log as ln

from captions.audio import to_seconds
from captions.caption import Caption, CaptionId, Pass, Version
from captions.corrections import corrected
from captions.gates import screen
from captions.glossary import MOST_CANDIDATES, glossary_of
from captions.language import AUTO, primary
from captions.messages import CaptionMessage, caption_message
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.quality import comparable_words, places
from captions.records import CAPTIONS, write_room_event
from captions.refine_windows import Layout, WindowSettings, runs
from captions.terms import Term, merged, written_terms
from captions.words import Word
from inference.decoders import Decoder, Decoders
from inference.decoding import Failed, decode_each
from inference.publishing import UNDETERMINED, final_caption
from inference.refine_tracks import Window
from inference.settings import WorkerSettings
from inference.standing import Standing, standing
from inference.terms import candidates, with_terms
from inference.utterance import Utterance

MARGIN = 2.0
"""Seconds by which the clocks of this machine and of the log may differ."""

_LEAST_CONFIDENCE = 1e-4

SpareTime = Callable[[], Awaitable[None]]
"""Returns when a decode holds up no live one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefineSettings:
    """Settings of the second pass."""

    within: float = 60.0
    """Seconds after the end of an utterance in which its caption may change; later work is given up.

    A window collects speech for half of it at most: the other half is to notice that it is over, and to decode.
    """
    decoders: int = 1
    """Windows decoded at the same time."""
    windows: WindowSettings = field(default_factory=WindowSettings)
    """How windows are put together."""

    @property
    def fitting(self) -> WindowSettings:
        """``windows``, as far as ``within`` leaves them time."""
        windows, within = self.windows, self.within
        return replace(windows, reach=min(windows.reach, within / 2), quiet=min(windows.quiet, within / 6))


async def at_once() -> None:
    """Wait for nothing: there is no live work in this process."""


class SecondPass:
    """Does one window at a time, for several callers."""

    def __init__(
        self,
        log: Log,
        decoders: Decoders,
        *,
        clock: Clock,
        probe: Probe,
        settings: WorkerSettings,
        refine: RefineSettings,
        spare_time: SpareTime,
    ) -> None:
        self._log = log
        self._decoders = decoders
        self._clock = clock
        self._probe = probe
        self._settings = settings
        self._refine = refine
        self._windows = refine.fitting
        self._spare_time = spare_time

    def is_late(self, window: Window) -> bool:
        """Whether the window's first caption may not change any more."""
        return self._clock.wall() - window.waits_since > self._refine.within

    async def do(self, window: Window) -> bool:
        """Whether the window is done. Otherwise it is too late, or finals of it are still to come.

        Raises ``LogError``.
        """
        captions, live = await self._standing(window)
        if any(utterance.id not in live for utterance in _heard(window)):
            return False
        if all(captions[utterance.id].version >= _version(utterance) for utterance in _heard(window)):
            return True  # it was done, edited or deleted
        for run in _runs(_heard(window), live):
            await self._spare_time()
            if heard := [utterance for utterance in run if not utterance.deleted]:
                if self.is_late(window):
                    return False
                await self._hear(window, heard, live)
        return True

    async def _hear(self, window: Window, heard: Sequence[Utterance], live: Mapping[CaptionId, CaptionMessage]) -> None:
        """Decode utterances of one language together, and publish the captions that changed.

        What is heard depends on captions of pass ``live`` alone, and so not on what was refined before a crash.
        """
        layout = Layout([window.spans[window.utterances.index(utterance)] for utterance in heard], self._windows)
        decoder = self._decoders.named(heard[0].settings.model)
        language = _language(heard, live)
        hypothesis = await self._decode(decoder, heard, layout, live)
        if not isinstance(hypothesis, Hypothesis) or not _same_language(hypothesis.language, language):
            return
        kept = screen(hypothesis, to_seconds(layout.samples), self._settings.gates).words
        if not kept:
            return
        now = (await self._standing(window)).newest  # somebody may have edited one meanwhile
        for utterance, words in zip(heard, layout.shares(kept), strict=True):
            if not utterance.deleted and (before := now.get(utterance.id)):
                await self._publish(utterance, before, alone(hypothesis, words), decoder)

    async def _standing(self, window: Window) -> Standing:
        ids = [utterance.id for utterance in window.utterances]
        return await standing(self._log, ids, window.spans[0].began - MARGIN)

    async def _decode(
        self,
        decoder: Decoder,
        heard: Sequence[Utterance],
        layout: Layout,
        live: Mapping[CaptionId, CaptionMessage],
    ) -> Hypothesis | Failed:
        """Decode with the terms that the live captions have, and again where the words may be others."""
        vocabulary = merged(*(utterance.settings.vocabulary for utterance in heard))
        there = Counter[str]()
        for caption in (live[utterance.id] for utterance in heard):
            there += written_terms(caption.text, caption.language, vocabulary)
        request = DecodeRequest(
            pcm=layout.audio([utterance.whole() for utterance in heard]),
            language=_language(heard, live),
            languages=heard[0].settings.languages,
            vocabulary=tuple(there)[:MOST_CANDIDATES],
            final=True,
        )
        began = self._clock.monotonic()
        (result,) = await decode_each(decoder, [request], self._probe, self._settings.attempts)
        if isinstance(result, Hypothesis):
            result = await self._with_terms(decoder, request, result, vocabulary)
        took = self._clock.monotonic() - began
        self._probe.decoded("refined", decoder.model.name, 1, to_seconds(layout.samples), took)
        return result

    async def _with_terms(
        self, decoder: Decoder, request: DecodeRequest, first: Hypothesis, vocabulary: tuple[Term, ...]
    ) -> Hypothesis:
        """``first``, or what a decode with the terms heard that its words may have been.

        Words are corrected later, in the share of one utterance: no term may reach over a boundary.
        """
        gates = self._settings.gates
        terms = candidates(request, first, vocabulary, gates)
        if not terms:
            return first
        few = dict.fromkeys([*request.vocabulary, *(term.text for term in terms)])
        again = replace(request, language=first.language, vocabulary=tuple(few))
        (second,) = await decode_each(decoder, [again], self._probe, 1)
        return with_terms(request, first, second, terms, gates) if isinstance(second, Hypothesis) else first

    async def _publish(
        self, utterance: Utterance, before: CaptionMessage, hypothesis: Hypothesis, decoder: Decoder
    ) -> None:
        """Publish the caption of one utterance, whose words are those of ``hypothesis``, if its text changed."""
        vocabulary = utterance.settings.vocabulary
        words = screen(hypothesis, utterance.seconds, self._settings.gates).words
        words = corrected(words, glossary_of(vocabulary)) if vocabulary else words
        version, model = _version(utterance), decoder.model
        caption = final_caption(utterance, hypothesis.language, words, str(model), version)
        if before.version >= version:
            return
        text = caption.text if _may_replace(before, caption, vocabulary) else before.text
        if text != before.text:
            record = write_room_event(
                caption.id.track.room, caption_message(caption), began=utterance.began, trace=utterance.trace
            )
            await self._log.append(CAPTIONS, record)
        new, old = (comparable_words(one, caption.language) for one in (text, before.text))
        changed = max(len(new), len(old)) - len(places(new, old))
        ended = self._clock.wall() if utterance.ended is None else utterance.ended
        self._probe.refined(model.name, len(new), changed, max(0.0, self._clock.wall() - ended))


def _heard(window: Window) -> list[Utterance]:
    return [utterance for utterance in window.utterances if not utterance.deleted]


def _version(utterance: Utterance) -> Version:
    return Version(Pass.REFINED, utterance.segments)


def _runs(heard: Sequence[Utterance], live: Mapping[CaptionId, CaptionMessage]) -> list[Sequence[Utterance]]:
    """The utterances, cut where the language of the live captions changes."""
    spoken = [live[utterance.id] for utterance in heard]
    return [heard[run.start : run.stop] for run in runs([one.language if one.text else None for one in spoken])]


def _language(heard: Sequence[Utterance], live: Mapping[CaptionId, CaptionMessage]) -> str:
    """The language of utterances of one language, as their live captions have it; ``auto`` where none has one."""
    named = heard[0].settings.language
    if named != AUTO:
        return named
    spoken = [live[utterance.id] for utterance in heard]
    language = next((one.language for one in spoken if one.text), spoken[0].language)
    return named if language == UNDETERMINED else language


def _same_language(found: str, expected: str) -> bool:
    return expected == AUTO or primary(found) == primary(expected)


def _may_replace(before: CaptionMessage, caption: Caption, vocabulary: tuple[Term, ...]) -> bool:
    """Whether a caption may take the place of a live one: it has words, the same language, and loses no term."""
    if not before.text:
        return True
    if not caption.text or not _same_language(caption.language, before.language):
        return False
    return not (
        written_terms(before.text, before.language, vocabulary)
        - written_terms(caption.text, caption.language, vocabulary)
    )


def alone(window: Hypothesis, words: Sequence[Word]) -> Hypothesis:
    """What the hypothesis of a window says of one utterance's words: they are as likely as the model was sure."""
    sure = [max(_LEAST_CONFIDENCE, word.confidence) for word in words if word.confidence is not None]
    likely = sum(map(ln, sure)) / len(sure) if sure else window.mean_log_probability
    return replace(window, words=tuple(words), mean_log_probability=likely)
