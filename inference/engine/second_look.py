"""Which finals are decoded a second time, at the full 30 s, and which of the two hypotheses is used."""

from collections.abc import Sequence

from captions.audio import Pcm, to_seconds
from captions.loops import compression_ratio, looks_looped
from captions.ports.engine import DecodeRequest, Hypothesis
from captions.words import Word, join
from inference.engine.windows import WhisperSettings

GAINED_BY_CHANCE = 0.05
"""Mean log-probability that a longer window and more beams gain where the text is no better."""


def may_loop(pcm: Pcm, words: Sequence[Word], language: str) -> bool:
    """Whether ``words``, decoded from ``pcm``, may be a loop. Only their times show whether they were spoken so."""
    ratio = compression_ratio(join(words, language))
    return looks_looped([word.text for word in words], language, to_seconds(len(pcm)), ratio)


def is_doubtful(request: DecodeRequest, found: Hypothesis, settings: WhisperSettings) -> bool:
    """Whether a final is worth a second look: it may be a loop, its words are improbable, or one of them is."""
    if not (request.final and settings.gated and found.words):
        return False
    return found.mean_log_probability < settings.doubtful or may_loop(request.pcm, found.words, found.language)


def better(request: DecodeRequest, first: Hypothesis, second: Hypothesis) -> Hypothesis:
    """The second look where the first may be a loop, and where it is more probable by more than chance."""
    if may_loop(request.pcm, first.words, first.language):
        return second
    return second if second.mean_log_probability - first.mean_log_probability > GAINED_BY_CHANCE else first
