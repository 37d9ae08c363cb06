"""Whisper in CTranslate2, on short windows with the silence tail."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import ctranslate2
import numpy as np
import tokenizers

from captions.audio import SAMPLE_RATE, Pcm, to_seconds
from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.words import Word
from inference.engine.alignment import STATES_PER_SECOND, pieces, plain_words, timed_words
from inference.engine.features import Floats, LogMel
from inference.engine.languages import Languages
from inference.engine.prompt import Prompter
from inference.engine.second_look import better, is_doubtful, may_loop
from inference.engine.silence import SilenceTail
from inference.engine.states import states_on
from inference.engine.windows import (
    FRAMES_PER_SECOND,
    FULL_FRAMES,
    WhisperSettings,
    audio_frames,
    final_tail_states,
    is_short,
    tail_states,
    window_frames,
)

LONGEST_WINDOW = 30 * SAMPLE_RATE
"""Samples that one decode can hear."""

_LONGEST_TEXT = 224  # tokens: half of Whisper's 448 positions
_PARTIAL_SPREAD = 600  # partials whose windows differ by less are searched together, the shorter with longer tails
_COMMON_LEVELS = range(1, 8)  # of silence behind most speech; others are encoded when they turn up

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(slots=True)
class _Window:
    """A request on its way: its features, its encoded audio with the silence behind it, then what is found in it."""

    request: DecodeRequest
    mel: Floats
    states: Floats
    language: str = "en"
    language_probability: float = 1.0
    past: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        """The window's length in frames of features."""
        return int(self.mel.shape[1])

    def cap(self, settings: WhisperSettings) -> int:
        """Tokens at most. Finals have room to show that they loop, and the same cap where they are searched together.

        Fast English has 5 tokens a second, other languages up to three times that.
        """
        request = self.request
        seconds = len(request.pcm) / SAMPLE_RATE
        if request.final and is_short(len(request.pcm), settings):
            seconds = settings.short
        elif request.final:
            states = len(self.states) - tail_states(self.frames, settings)
            seconds = states / STATES_PER_SECOND - settings.zeros
        floor, rate = (4, 6) if self.language == "en" and not request.final else (16, 16)
        return min(_LONGEST_TEXT, floor + round(rate * seconds))


class WhisperEngine:
    """The Engine port over one CTranslate2 Whisper model. Safe for use by several threads.

    ``model`` is a loaded ``ctranslate2.models.Whisper``; ``tokenizer`` a ``tokenizers.Tokenizer``; ``decoders``
    is how many batches the model works on at the same time.
    """

    def __init__(
        self,
        model: ctranslate2.models.Whisper,
        tokenizer: tokenizers.Tokenizer,
        *,
        name: str,
        settings: WhisperSettings | None = None,
        decoders: int = 1,
    ) -> None:
        self.decoders = decoders
        self.settings = settings or WhisperSettings()
        self.model = model
        self.tokenizer = tokenizer
        self._name = name
        self._languages = Languages(tokenizer, multilingual=model.is_multilingual)
        self._prompter = Prompter(self._languages.tokenizer("en"))
        self._log_mel = LogMel(model.n_mels)
        self._states = states_on(str(model.device))
        longer = max(_PARTIAL_SPREAD // 2, round(self.settings.search_step * FRAMES_PER_SECOND / 2))
        kept = tail_states(0, self.settings) + longer
        self._silence = SilenceTail(self._encode, model.n_mels, kept=min(kept, FULL_FRAMES // 2))

    @property
    def model_name(self) -> str:
        """The model's name, as operators know it."""
        return self._name

    @property
    def multilingual(self) -> bool:
        """Whether the model knows other languages than English, and can tell them apart."""
        return bool(self.model.is_multilingual)

    @property
    def languages(self) -> frozenset[str]:
        """Primary BCP 47 tags of the languages it writes. Others are decoded as English, or detected."""
        return self._languages.known

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        return str(self.model.device)

    @property
    def compute_type(self) -> str:
        """CTranslate2's name of the type that the weights have in memory."""
        return str(self.model.compute_type)

    def describe(self) -> dict[str, str | bool]:
        """Facts for logs and metrics."""
        return {
            "model": self.model_name,
            "multilingual": self.multilingual,
            "device": self.device,
            "compute_type": self.compute_type,
        }

    def prepare(self, pcm: Pcm) -> None:
        """Encode the silence that goes with audio as loud as ``pcm``, if it is not known yet."""
        frames = window_frames(len(pcm), self.model.n_mels, self.settings)
        if missing := tail_states(frames, self.settings):
            self._silence.behind(self._log_mel(pcm, frames), missing)

    def warm_up(self) -> None:
        """Encode the commonest levels of silence and decode once, so that no caption waits for that."""
        if tail_states(0, self.settings):
            self._silence.prepare(_COMMON_LEVELS)
        second = np.zeros(SAMPLE_RATE, dtype=np.int16)
        self.decode([DecodeRequest(pcm=second, language="en"), DecodeRequest(pcm=second, language="en", final=True)])

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """One hypothesis for each request, in their order, whatever batch they come in.

        A doubtful final gets a second look: it is decoded again at the full 30 s, with more beams and without its
        context. The second look counts where the first may be a loop, and where it is more probable. Raises
        ``EngineError`` for audio over 30 s and where CTranslate2 fails.
        """
        for request in requests:
            if len(request.pcm) > LONGEST_WINDOW:
                raise EngineError(f"a window of {to_seconds(len(request.pcm))} s: Whisper hears 30 s at most")
        try:
            full = [request.final and self.settings.final_window == "full" for request in requests]
            found = self._decode(requests, full, self.settings.beam_size)
            again = [i for i, first in enumerate(found) if is_doubtful(requests[i], first, self.settings)]
            if again:
                wider = [replace(requests[i], context="") for i in again]
                second = self._decode(wider, [True] * len(wider), self.settings.second_look_beams)
                for i, looked_again in zip(again, second, strict=True):
                    found[i] = replace(better(requests[i], found[i], looked_again), redecoded=True)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise EngineError(f"CTranslate2 could not decode a batch of {len(requests)}: {error}") from error
        return found

    def _decode(self, requests: Sequence[DecodeRequest], full: Sequence[bool], beams: int) -> list[Hypothesis]:
        """``beams`` are those of finals."""
        found: dict[int, Hypothesis] = {
            i: Hypothesis(words=(), language=self._languages.tag(request.language) or "en", no_speech_probability=1.0)
            for i, request in enumerate(requests)
            if not len(request.pcm)
        }
        lengths = {
            i: FULL_FRAMES if full[i] else self._frames(len(request.pcm))
            for i, request in enumerate(requests)
            if len(request.pcm)
        }
        windows: list[tuple[int, _Window]] = []
        for frames, indices in _grouped(lengths.items(), key=lambda item: item[1]).items():
            numbers = [i for i, _ in indices]
            windows += zip(numbers, self._windows([requests[i] for i in numbers], frames), strict=True)
        for members in _grouped(windows, key=lambda item: self._searched_with(item[1])).values():
            hypotheses = self._search([window for _, window in members], beams)
            found.update(zip((i for i, _ in members), hypotheses, strict=True))
        return [found[i] for i in range(len(requests))]

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        """Windows that may be made equal by longer tails: partials of any such, finals up to one of few lengths."""
        full = final and self.settings.final_window == "full"
        return self._key(FULL_FRAMES if full else self._frames(samples), final=final)

    def _frames(self, samples: int) -> int:
        return window_frames(samples, self.model.n_mels, self.settings)

    def _key(self, frames: int, *, final: bool) -> tuple[bool, int]:
        """A final's length depends on nothing but its own audio; a partial's on others that are nearly as long."""
        if not self.settings.tail or frames == FULL_FRAMES:
            return final, frames
        if final:
            return final, frames // 2 + final_tail_states(frames, self.settings)
        return final, frames - frames % _PARTIAL_SPREAD

    def _searched_with(self, window: _Window) -> Hashable:
        """What windows must share to be searched together."""
        final = window.request.final
        key = self._key(window.frames, final=final)
        return key, len(window.past), window.cap(self.settings) if final else 0

    def _make_equal(self, windows: Sequence[_Window]) -> None:
        """Append more of the silence to shorter windows, so that all are as long as the longest."""
        longest = max(len(window.states) for window in windows)
        for window in windows:
            if len(window.states) < longest:
                heard = window.states[: window.frames // 2]
                window.states = self._with_tail(heard, window.mel, longest - len(heard))

    def _with_tail(self, heard: Floats, mel: Floats, states: int) -> Floats:
        """What was heard, and so many states of the silence that goes with it."""
        return self._states.joined(heard, self._silence.behind(mel, states)) if states else heard

    def _windows(self, requests: Sequence[DecodeRequest], frames: int) -> list[_Window]:
        """Encode windows of one length, tails appended, and settle their languages and prompts."""
        mels = [self._log_mel(request.pcm, frames) for request in requests]
        windows = []
        for request, mel, heard in zip(requests, mels, self._encode(np.stack(mels)), strict=True):
            silence = final_tail_states if request.final else tail_states
            window = _Window(request, mel, self._with_tail(heard, mel, silence(frames, self.settings)))
            window.past = tuple(self._prompter.past(request.vocabulary, request.context))
            tag = self._languages.tag(request.language)
            if tag is None:
                window.language, window.language_probability = self._detect(window.states)
            else:
                window.language = tag
            windows.append(window)
        return windows

    def _detect(self, states: Floats) -> tuple[str, float]:
        """The likeliest language and its probability. One window at a time: there is one step to decode."""
        token, probability = self.model.detect_language(self._states.given([states]))[0][0]
        return token.strip("<|>"), float(probability)

    def _encode(self, mels: Floats) -> Floats:
        """Encoder states, shape (batch, frames / 2, width), of features of shape (batch, n_mels, frames)."""
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mels))
        return self._states.taken(self.model.encode(features, to_cpu=self._states.to_cpu))

    def _search(self, windows: Sequence[_Window], beams: int) -> list[Hypothesis]:
        """Decode windows that may be searched together; finals with so many ``beams``."""
        self._make_equal(windows)
        states = self._states.given([window.states for window in windows])
        prompts = [[*window.past, *self._languages.task(window.language)] for window in windows]
        first = windows[0]
        caps = [window.cap(self.settings) for window in windows]
        cap = max(caps)
        results = self.model.generate(
            states,
            prompts,
            beam_size=beams if first.request.final else self.settings.partial_beam_size,
            # CTranslate2 allows half of max_length, and counts the prompt against the whole
            max_length=min(2 * _LONGEST_TEXT, max(2 * cap, cap + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = [result.sequences_ids[0] for result in results]
        if not first.request.final:
            texts = [tokens[:own] for tokens, own in zip(texts, caps, strict=True)]
        words = self._words(windows, texts)
        return [
            self._hypothesis(window, tokens, window_words, result)
            for window, tokens, window_words, result in zip(windows, texts, words, results, strict=True)
        ]

    def _hypothesis(
        self,
        window: _Window,
        tokens: list[int],
        words: tuple[Word, ...],
        result: ctranslate2.models.WhisperGenerationResult,
    ) -> Hypothesis:
        return Hypothesis(
            words=words,
            language=window.language,
            language_probability=window.language_probability,
            no_speech_probability=float(result.no_speech_prob),
            # the score is the mean over the text's tokens; Whisper's measure counts the end of text too
            mean_log_probability=float(result.scores[0]) * len(tokens) / (len(tokens) + 1),
        )

    def _words(self, windows: Sequence[_Window], texts: Sequence[list[int]]) -> list[tuple[Word, ...]]:
        words: list[tuple[Word, ...]] = [()] * len(windows)
        alignable = []
        for i, (window, tokens) in enumerate(zip(windows, texts, strict=True)):
            request, language = window.request, window.language
            plain = plain_words(self._languages.tokenizer(language), tokens, language)
            if tokens and (request.final or request.aligned or may_loop(request.pcm, plain, language)):
                alignable.append((i, window))
            else:
                words[i] = plain
        for language, members in _grouped(alignable, key=lambda item: item[1].language).items():
            numbers = [i for i, _ in members]
            timed = self._align(language, [window for _, window in members], [texts[i] for i in numbers])
            for i, found in zip(numbers, timed, strict=True):
                words[i] = found
        return words

    def _align(
        self, language: str, windows: Sequence[_Window], texts: Sequence[list[int]]
    ) -> Iterable[tuple[Word, ...]]:
        """Words with times, of windows in one language."""
        results = self.model.align(
            self._states.given([window.states for window in windows]),
            self._languages.task(language)[:-1],
            texts,
            [max(2, audio_frames(len(window.request.pcm))) for window in windows],
        )
        tokenizer = self._languages.tokenizer(language)
        for window, tokens, result in zip(windows, texts, results, strict=True):
            duration = len(window.request.pcm) / SAMPLE_RATE
            parts = pieces(tokenizer, tokens, language)
            yield timed_words(parts, result.alignments, result.text_token_probs, duration)


def _grouped(items: Iterable[Item], *, key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
