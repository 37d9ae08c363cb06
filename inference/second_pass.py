"""One window of the second pass: decoded, its words given back to its utterances, and changed captions published."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log as ln

from captions.audio import to_seconds
from captions.caption import CaptionId, Pass, Version
from captions.gates import screen
from captions.messages import CaptionMessage, caption_message
from captions.ports.clock import Clock
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.quality import comparable_words, places
from captions.records import CAPTIONS, write_room_event
from captions.refine_windows import Layout, WindowSettings
from captions.words import Word
from inference.decoders import Decoder, Decoders
from inference.decoding import Failed, decode_each
from inference.publishing import final_caption
from inference.refine_tracks import Window
from inference.settings import WorkerSettings
from inference.standing import standing
from inference.terms import hear_terms
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
        captions = await self._standing(window)
        if any(utterance.id not in captions for utterance in _heard(window)):
            return False
        if all(captions[utterance.id].version >= _version(utterance) for utterance in _heard(window)):
            return True  # it was done, edited or deleted
        await self._spare_time()
        heard = _heard(window)
        if self.is_late(window) or not heard:
            return not heard
        layout = Layout([window.spans[window.utterances.index(utterance)] for utterance in heard], self._windows)
        decoder = self._decoders.named(heard[0].settings.model)
        language = _language(heard, captions)
        hypothesis = await self._decode(decoder, heard, layout, language)
        if isinstance(hypothesis, Hypothesis):
            kept = screen(hypothesis, to_seconds(layout.samples), self._settings.gates).words
            captions |= await self._standing(window)  # somebody may have edited one meanwhile
            for utterance, words in zip(heard, layout.shares(kept), strict=True):
                if not utterance.deleted:
                    await self._publish(utterance, captions[utterance.id], alone(hypothesis, words), decoder)
        return True

    async def _standing(self, window: Window) -> dict[CaptionId, CaptionMessage]:
        ids = [utterance.id for utterance in window.utterances]
        return await standing(self._log, ids, window.spans[0].began - MARGIN)

    async def _decode(
        self, decoder: Decoder, heard: Sequence[Utterance], layout: Layout, language: str
    ) -> Hypothesis | Failed:
        request = DecodeRequest(
            pcm=layout.audio([utterance.whole() for utterance in heard]),
            language=language,
            final=True,
        )
        began = self._clock.monotonic()
        results = await decode_each(decoder, [request], self._probe, self._settings.attempts)
        vocabularies = [heard[0].settings.vocabulary]
        (result,) = await hear_terms(
            decoder, [request], results, vocabularies, probe=self._probe, gates=self._settings.gates
        )
        took = self._clock.monotonic() - began
        self._probe.decoded("refined", decoder.model.name, 1, to_seconds(layout.samples), took)
        return result

    async def _publish(
        self, utterance: Utterance, before: CaptionMessage, hypothesis: Hypothesis, decoder: Decoder
    ) -> None:
        """Publish the caption of one utterance, whose words are those of ``hypothesis``, if they changed."""
        words = screen(hypothesis, utterance.seconds, self._settings.gates).words
        version, model = _version(utterance), decoder.model
        caption = final_caption(utterance, hypothesis.language, words, str(model), version)
        if before.version >= version:
            return
        if caption.text != before.text:
            record = write_room_event(
                caption.id.track.room, caption_message(caption), began=utterance.began, trace=utterance.trace
            )
            await self._log.append(CAPTIONS, record)
        new, old = (comparable_words(one.text, one.language) for one in (caption, before))
        changed = max(len(new), len(old)) - len(places(new, old))
        ended = self._clock.wall() if utterance.ended is None else utterance.ended
        self._probe.refined(model.name, len(new), changed, max(0.0, self._clock.wall() - ended))


def _heard(window: Window) -> list[Utterance]:
    return [utterance for utterance in window.utterances if not utterance.deleted]


def _version(utterance: Utterance) -> Version:
    return Version(Pass.REFINED, utterance.segments)


def _language(heard: Sequence[Utterance], captions: Mapping[CaptionId, CaptionMessage]) -> str:
    """The language of the window: that of most words of its live captions, where it was to be detected."""
    language = heard[0].settings.language
    if language != "auto":
        return language
    spoken: Counter[str] = Counter()
    for utterance in heard:
        caption = captions[utterance.id]
        spoken[caption.language] += len(comparable_words(caption.text, caption.language))
    ((found, words),) = spoken.most_common(1)
    return found if words else language


def alone(window: Hypothesis, words: Sequence[Word]) -> Hypothesis:
    """What the hypothesis of a window says of one utterance's words: they are as likely as the model was sure."""
    sure = [max(_LEAST_CONFIDENCE, word.confidence) for word in words if word.confidence is not None]
    likely = sum(map(ln, sure)) / len(sure) if sure else window.mean_log_probability
    return replace(window, words=tuple(words), mean_log_probability=likely)
