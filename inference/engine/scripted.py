"""An engine without weights, for tests and rehearsals of the whole pipeline: its audio carries the words themselves.

``scripted_audio`` makes such audio. Every sample of a word has the word's number as its amplitude, so the engine finds
the words of any window, and their times, in the samples alone.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm, to_samples
from captions.errors import EngineError
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.words import Word

_LOUDNESS = 2000
MOST_WORDS = 30_000


class ScriptedWord(NamedTuple):
    """A word and when it is spoken, in seconds."""

    text: str
    start: float
    end: float


def scripted_audio(script: Sequence[ScriptedWord], seconds: float) -> Pcm:
    """Audio of ``script``, shape (seconds * 16000,), silent between its words. At most 30,000 words."""
    if len(script) > MOST_WORDS:
        raise ValueError(f"a script holds {MOST_WORDS} words at most")
    pcm = np.zeros(to_samples(seconds), dtype=np.int16)
    for number, word in enumerate(script):
        said = pcm[to_samples(word.start) : to_samples(word.end)]
        said[:] = _LOUDNESS + number
        said[1::2] *= -1
    return pcm


class ScriptedEngine:
    """Decodes scripted audio.

    In a partial the word that is still being spoken is wrong and has a full stop after it, as Whisper does; a final
    is right. ``delay`` is seconds of decoding for each second of audio, waited for with ``sleep``; requests fail
    for which ``failures`` is true.
    """

    model_name = "scripted"
    revision = "0" * 12
    decoders = 1

    def __init__(
        self,
        script: Sequence[ScriptedWord],
        *,
        delay: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        failures: Callable[[DecodeRequest], bool] = lambda _: False,
    ) -> None:
        self._script = script
        self._delay = delay
        self._sleep = sleep
        self._failures = failures

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """One hypothesis for each request. Raises ``EngineError`` where one of them is to fail."""
        if any(self._failures(request) for request in requests):
            raise EngineError("scripted to fail")
        if self._delay:
            self._sleep(self._delay * sum(len(request.pcm) for request in requests) / SAMPLE_RATE)
        return [self._hypothesis(request) for request in requests]

    def batch_key(self, samples: int, *, final: bool) -> Hashable:  # noqa: ARG002 - as the port has it
        """All windows cost alike."""
        return None

    def _hypothesis(self, request: DecodeRequest) -> Hypothesis:
        words = [self._word(number, start, end, request) for number, start, end in _runs(request.pcm)]
        if words and not request.final:
            words[-1] = Word(f"{words[-1].text}.", words[-1].start, words[-1].end, words[-1].confidence)
        if not (request.final or request.aligned):
            words = [Word(word.text) for word in words]
        language = "en" if request.language == "auto" else request.language
        return Hypothesis(words=tuple(words), language=language)

    def _word(self, number: int, start: int, end: int, request: DecodeRequest) -> Word:
        said = self._script[number]
        whole = to_samples(said.end) - to_samples(said.start)
        cut_off = end - start < 0.8 * whole and end == len(request.pcm)
        text = said.text[: max(1, len(said.text) // 2)] if cut_off and not request.final else said.text
        return Word(text, start / SAMPLE_RATE, end / SAMPLE_RATE, 0.5 if cut_off else 0.95)


def _runs(pcm: Pcm) -> list[tuple[int, int, int]]:
    """(number, first sample, last sample + 1) of each word in the audio."""
    numbers = np.abs(pcm.astype(np.int32)) - _LOUDNESS
    edges = np.flatnonzero(np.diff(numbers)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.concatenate((edges, [len(numbers)]))
    return [
        (int(numbers[start]), int(start), int(end))
        for start, end in zip(starts, ends, strict=True)
        if end > start and numbers[start] >= 0
    ]
