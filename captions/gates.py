"""Hallucination gates: they withdraw words that were probably not spoken.

Whisper writes text even on noise. No single measure separates that text from speech: the no-speech probability of
quiet speech reaches 0.6 and that of noise falls to 0.2; single words have low probabilities; people say "Thank you.",
and Whisper also writes it on applause. The gates therefore combine several measures. The thresholds were measured on
speech and noise: clean speech loses no words, a short mumbled phrase over a telephone line can.
"""

from dataclasses import dataclass, replace

from captions.language import primary
from captions.loops import HIGHEST_COMPRESSION_RATIO, compression_ratio, repetition
from captions.pace import unspoken
from captions.phantoms import PHANTOM_PHRASES
from captions.ports.engine import Hypothesis
from captions.words import Word, fold, join

NO_SPEECH = "no_speech"
LOOP = "loop"
REPETITIVE = "repetitive"
TOO_FAST = "too_fast"
LATE_WORDS = "late_words"
PHANTOM = "phantom"
GATES = (NO_SPEECH, LOOP, REPETITIVE, TOO_FAST, LATE_WORDS, PHANTOM)

_PHANTOMS = {language: frozenset(map(fold, phrases)) for language, phrases in PHANTOM_PHRASES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Thresholds, measured with tiny.en and base.

    All words are withdrawn in each of these cases (P is ``no_speech_probability``, M is ``mean_log_probability``):

    - P >= ``no_speech`` and M <= ``unlikely``
    - P >= ``no_speech_hint`` and M <= ``very_unlikely``
    - M <= ``gibberish``
    - the text is a phantom phrase or is highly repetitive, and P >= ``doubt_no_speech`` or M <= ``doubt_unlikely``
    - the text repeats a phrase that had time to be spoken, and P >= ``chant_no_speech`` or M <= ``doubt_unlikely``

    A single word is withdrawn if it begins ``late`` seconds or more after the end of the audio.
    """

    no_speech: float = 0.6
    unlikely: float = -0.8
    no_speech_hint: float = 0.25
    very_unlikely: float = -1.1
    gibberish: float = -2.0
    doubt_no_speech: float = 0.4
    doubt_unlikely: float = -0.9
    chant_no_speech: float = 0.8
    late: float = 0.1


@dataclass(frozen=True, slots=True)
class Screened:
    """The words that are kept, and the names of the gates that withdrew others."""

    words: tuple[Word, ...]
    fired: tuple[str, ...]


DEFAULTS = GateSettings()


def screen(hypothesis: Hypothesis, duration: float, settings: GateSettings = DEFAULTS) -> Screened:
    """Apply the gates to the hypothesis of a window of ``duration`` seconds and return the words that are kept.

    First, single words are withdrawn: words that begin after the end of the audio, and runs of words that the audio has
    no time for, such as the repetitions of a loop. The words around them stay. Then all words are withdrawn if one of
    the cases in ``GateSettings`` applies.
    """
    fired: list[str] = []
    words = tuple(w for w in hypothesis.words if w.start is None or w.start < duration + settings.late)
    if len(words) < len(hypothesis.words):
        fired.append(LATE_WORDS)
    if runs := unspoken(words, hypothesis.language, duration):
        repeated = repetition([word.text for word in words])
        fired.append(LOOP if repeated is not None and repeated.looped else TOO_FAST)
        words = tuple(word for i, word in enumerate(words) if not any(i in run for run in runs))
    gate = _gate(replace(hypothesis, words=words), settings) if words else None
    return Screened((), (*fired, gate)) if gate else Screened(words, tuple(fired))


def _gate(hypothesis: Hypothesis, settings: GateSettings) -> str | None:
    """The gate that withdraws all words of ``hypothesis``; None if none does."""
    silence, likelihood = hypothesis.no_speech_probability, hypothesis.mean_log_probability
    text = join(hypothesis.words, hypothesis.language)
    if (
        (silence >= settings.no_speech and likelihood <= settings.unlikely)
        or (silence >= settings.no_speech_hint and likelihood <= settings.very_unlikely)
        or likelihood <= settings.gibberish
        or not fold(text)
    ):
        return NO_SPEECH
    doubtful = silence >= settings.doubt_no_speech or likelihood <= settings.doubt_unlikely
    if compression_ratio(text) > HIGHEST_COMPRESSION_RATIO:
        repeated = repetition([word.text for word in hypothesis.words])
        chant = repeated is not None and repeated.looped  # there was time for every repetition: people do chant
        if likelihood <= settings.doubt_unlikely or silence >= (
            settings.chant_no_speech if chant else settings.doubt_no_speech
        ):
            return REPETITIVE
    return PHANTOM if doubtful and is_phantom(text, hypothesis.language) else None


def is_phantom(text: str, language: str) -> bool:
    """Whether the whole ``text`` is a known hallucination of Whisper on silence, or a sound in brackets."""
    bare = text.strip()
    if bare[:1] + bare[-1:] in ("[]", "()", "**", "♪♪"):
        return True
    return fold(text) in _PHANTOMS.get(primary(language), frozenset())
