"""Whisper in CTranslate2, on short windows with the silence tail."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import ctranslate2
import numpy as np
import tokenizers

from captions.audio import SAMPLE_RATE, Pcm, to_seconds
from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.words import Word
from inference.engine.alignment import pieces, plain_words, timed_words
from inference.engine.batching import LONGEST_TEXT, Batching, Shape, grouped
from inference.engine.features import Floats, LogMel
from inference.engine.languages import Languages
from inference.engine.prompt import Prompter
from inference.engine.second_look import better, is_doubtful, may_loop
from inference.engine.silence import SilenceTail
from inference.engine.states import states_on
from inference.engine.windows import WhisperSettings, audio_frames

LONGEST_WINDOW = 30 * SAMPLE_RATE
"""Samples of the longest window."""

_COMMON_LEVELS = range(1, 8)  # of silence behind most speech; others are encoded when they turn up


@dataclass(slots=True)
class _Window:
    """A request on its way: its features, its encoded audio without the silence behind it, its language and prompt."""

    request: DecodeRequest
    mel: Floats
    states: Floats
    past: tuple[int, ...]
    language: str = "en"
    languages: Mapping[str, float] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """What decides which windows it is searched with."""
        return Shape(
            samples=len(self.request.pcm),
            frames=int(self.mel.shape[1]),
            final=self.request.final,
            past=len(self.past),
            language=self.language,
        )


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
        revision: str,
        settings: WhisperSettings | None = None,
        decoders: int = 1,
    ) -> None:
        self.decoders = decoders
        self.settings = settings or WhisperSettings()
        self.model = model
        self.tokenizer = tokenizer
        self._name = name
        self._revision = revision
        self._languages = Languages(tokenizer, multilingual=model.is_multilingual)
        self._prompter = Prompter(self._languages.tokenizer("en"))
        self._log_mel = LogMel(model.n_mels)
        self._states = states_on(str(model.device))
        self._batching = Batching(self.settings, model.n_mels)
        self._silence = SilenceTail(self._encode, model.n_mels, kept=self._batching.longest_tail)

    @property
    def model_name(self) -> str:
        """The model's name, as operators know it."""
        return self._name

    @property
    def revision(self) -> str:
        """The revision of the model's weights: 12 hexadecimal digits."""
        return self._revision

    @property
    def multilingual(self) -> bool:
        """Whether the model knows languages other than English, and detects which one is spoken."""
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
        if self._batching.longest_tail:
            self._silence.behind(self._log_mel(pcm, self._batching.frames(len(pcm), final=False)), 1)

    def warm_up(self) -> None:
        """Encode the commonest levels of silence and decode once, so that no caption waits for that."""
        if self._batching.longest_tail:
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
                raise EngineError(f"a window of {to_seconds(len(request.pcm))} s: Whisper decodes 30 s at most")
        try:
            found = self._decode(requests, self.settings.beam_size)
            again = [i for i, first in enumerate(found) if is_doubtful(requests[i], first, self.settings)]
            if again:
                wider = [replace(requests[i], context="") for i in again]
                second = self._decode(wider, self.settings.second_look_beams, full=True)
                for i, looked_again in zip(again, second, strict=True):
                    found[i] = replace(better(requests[i], found[i], looked_again), redecoded=True)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise EngineError(f"CTranslate2 could not decode a batch of {len(requests)}: {error}") from error
        return found

    def _decode(self, requests: Sequence[DecodeRequest], beams: int, *, full: bool = False) -> list[Hypothesis]:
        """``beams`` are those of finals; ``full`` asks for the full 30 s."""
        found: dict[int, Hypothesis] = {
            i: Hypothesis(words=(), language=self._languages.tag(request.language) or "en", no_speech_probability=1.0)
            for i, request in enumerate(requests)
            if not len(request.pcm)
        }
        spoken = [i for i in range(len(requests)) if i not in found]
        lengths = [self._batching.frames(len(requests[i].pcm), final=requests[i].final, full=full) for i in spoken]
        windows: list[tuple[int, _Window]] = []
        for frames, members in grouped(lengths).items():
            numbers = [spoken[member] for member in members]
            windows += zip(numbers, self._windows([requests[i] for i in numbers], frames), strict=True)
        for members in self._batching.search_groups([window.shape for _, window in windows]).values():
            hypotheses = self._search([windows[member][1] for member in members], beams)
            found.update(zip((windows[member][0] for member in members), hypotheses, strict=True))
        return [found[i] for i in range(len(requests))]

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        """Shared by windows that longer tails make equally long: partials of such lengths, finals of one length."""
        return self._batching.batch_key(samples, final=final)

    def _windows(self, requests: Sequence[DecodeRequest], frames: int) -> list[_Window]:
        """Encode windows of one length, and settle their languages and prompts."""
        mels = [self._log_mel(request.pcm, frames) for request in requests]
        windows = []
        for request, mel, states in zip(requests, mels, self._encode(np.stack(mels)), strict=True):
            past = tuple(self._prompter.past(request.vocabulary, request.context))
            window = _Window(request, mel, states, past)
            tag = self._languages.tag(request.language)
            if self._languages.detects(request.language, asked=request.detected):
                tail = self._batching.tail(window.shape)
                window.languages = self._detect(self._with_tail(window, tail), request.languages)
            window.language = tag or max(window.languages, key=window.languages.__getitem__)
            windows.append(window)
        return windows

    def _with_tail(self, window: _Window, states: int) -> Floats:
        """The window's states, and so many of the silence that goes with it."""
        if not states:
            return window.states
        return self._states.joined(window.states, self._silence.behind(window.mel, states))

    def _detect(self, states: Floats, among: Sequence[str]) -> dict[str, float]:
        """The probabilities of languages. One window at a time: there is one step to decode."""
        found = self.model.detect_language(self._states.given([states]))[0]
        return self._languages.among(among, {token.strip("<|>"): float(probability) for token, probability in found})

    def _encode(self, mels: Floats) -> Floats:
        """Encoder states, shape (batch, frames / 2, width), of features of shape (batch, n_mels, frames)."""
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mels))
        return self._states.taken(self.model.encode(features, to_cpu=self._states.to_cpu))

    def _search(self, windows: Sequence[_Window], beams: int) -> list[Hypothesis]:
        """Decode windows of one search group; finals with so many ``beams``."""
        shapes = [window.shape for window in windows]
        length = self._batching.states(shapes)
        tailed = [self._with_tail(window, length - len(window.states)) for window in windows]
        prompts = [[*window.past, *self._languages.task(window.language)] for window in windows]
        final = windows[0].request.final
        caps = [self._batching.cap(shape) for shape in shapes]
        cap = max(caps)
        results = self.model.generate(
            self._states.given(tailed),
            prompts,
            beam_size=beams if final else self._partial_beams(windows),
            # CTranslate2 allows half of max_length, and counts the prompt against the whole
            max_length=min(2 * LONGEST_TEXT, max(2 * cap, cap + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = [result.sequences_ids[0] for result in results]
        if not final:
            texts = [tokens[:own] for tokens, own in zip(texts, caps, strict=True)]
        words = self._words(windows, tailed, texts)
        return [
            self._hypothesis(window, tokens, window_words, result)
            for window, tokens, window_words, result in zip(windows, texts, words, results, strict=True)
        ]

    def _partial_beams(self, windows: Sequence[_Window]) -> int:
        unhurried = all(window.request.unhurried for window in windows)
        return self.settings.unhurried_beam_size if unhurried else self.settings.partial_beam_size

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
            language_probability=window.languages.get(window.language, 0.0) if window.languages else 1.0,
            language_probabilities=window.languages,
            no_speech_probability=float(result.no_speech_prob),
            # the score is the mean over the text's tokens; Whisper's measure counts the end of text too
            mean_log_probability=float(result.scores[0]) * len(tokens) / (len(tokens) + 1),
        )

    def _words(
        self, windows: Sequence[_Window], tailed: Sequence[Floats], texts: Sequence[list[int]]
    ) -> list[tuple[Word, ...]]:
        """The words of each text, with times where they are asked for or tell whether the text is a loop."""
        words = []
        alignable = []
        for i, (window, tokens) in enumerate(zip(windows, texts, strict=True)):
            request, language = window.request, window.language
            plain = plain_words(self._languages.tokenizer(language), tokens, language)
            words.append(plain)
            if tokens and (request.final or request.aligned or may_loop(request.pcm, plain, language)):
                alignable.append(i)
        for language, members in grouped([windows[i].language for i in alignable]).items():
            numbers = [alignable[member] for member in members]
            requests = [windows[i].request for i in numbers]
            timed = self._align(language, requests, [tailed[i] for i in numbers], [texts[i] for i in numbers])
            for i, found in zip(numbers, timed, strict=True):
                words[i] = found
        return words

    def _align(
        self, language: str, requests: Sequence[DecodeRequest], states: Sequence[Floats], texts: Sequence[list[int]]
    ) -> Iterable[tuple[Word, ...]]:
        """Words with times, of windows in one language."""
        results = self.model.align(
            self._states.given(states),
            self._languages.task(language)[:-1],
            texts,
            [max(2, audio_frames(len(request.pcm))) for request in requests],
        )
        tokenizer = self._languages.tokenizer(language)
        for request, tokens, result in zip(requests, texts, results, strict=True):
            parts = pieces(tokenizer, tokens, language)
            yield timed_words(parts, result.alignments, result.text_token_probs, to_seconds(len(request.pcm)))
