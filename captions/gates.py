"""Hallucination gates: which words of a hypothesis to believe.

On noise Whisper always writes something. No single measure tells it from speech: the no-speech probability of quiet
speech reaches 0.6 and that of noise falls to 0.2, single words have low probabilities, "Thank you." is what people say
and what Whisper writes on applause. So doubts are put together. The thresholds are measured on speech and on noise:
clean speech loses no words to them, a short mumbled piece over a telephone line can.
"""

from dataclasses import dataclass, replace

from captions.loops import HIGHEST_COMPRESSION_RATIO, compression_ratio, repetition, too_fast
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

    Words are withdrawn where ``no_speech_probability`` is at least ``no_speech`` and ``mean_log_probability`` at most
    ``unlikely``; and where the probability is at least ``no_speech_hint`` with a mean at most ``very_unlikely``.
    A phantom phrase or a repetitive text needs only ``doubt_no_speech`` or ``doubt_unlikely``. A word that begins
    ``late`` seconds or more after the audio's end is withdrawn.
    """

    no_speech: float = 0.6
    unlikely: float = -0.8
    no_speech_hint: float = 0.25
    very_unlikely: float = -1.1
    doubt_no_speech: float = 0.4
    doubt_unlikely: float = -0.9
    late: float = 0.1


@dataclass(frozen=True, slots=True)
class Screened:
    """The words that are left, and the gates that withdrew others."""

    words: tuple[Word, ...]
    fired: tuple[str, ...]


DEFAULTS = GateSettings()


def screen(hypothesis: Hypothesis, duration: float, settings: GateSettings = DEFAULTS) -> Screened:
    """The words of ``hypothesis`` that can be believed, of a window of ``duration`` seconds.

    Words that begin past the audio's end go, and those of a loop but its first round. Then every word goes where
    there is likely no speech and the words are improbable, where a text repeats itself and there is some doubt, where
    nobody could speak that fast, and where all there is is a phrase that Whisper writes where nobody speaks, with some
    doubt besides.
    """
    fired: list[str] = []
    words = tuple(w for w in hypothesis.words if w.start is None or w.start < duration + settings.late)
    if len(words) < len(hypothesis.words):
        fired.append(LATE_WORDS)
    repeated = repetition([word.text for word in words])
    if repeated is not None and repeated.looped:
        words = words[: repeated.end]
        fired.append(LOOP)
    gate = _gate(replace(hypothesis, words=words), duration, settings) if words else None
    return Screened((), (*fired, gate)) if gate else Screened(words, tuple(fired))


def _gate(hypothesis: Hypothesis, duration: float, settings: GateSettings) -> str | None:
    """The gate that doubts all words of ``hypothesis``."""
    silence, likelihood = hypothesis.no_speech_probability, hypothesis.mean_log_probability
    if (silence >= settings.no_speech and likelihood <= settings.unlikely) or (
        silence >= settings.no_speech_hint and likelihood <= settings.very_unlikely
    ):
        return NO_SPEECH
    doubtful = silence >= settings.doubt_no_speech or likelihood <= settings.doubt_unlikely
    text = join(hypothesis.words, hypothesis.language)
    if doubtful and compression_ratio(text) > HIGHEST_COMPRESSION_RATIO:
        return REPETITIVE
    if too_fast([word.text for word in hypothesis.words], hypothesis.language, duration):
        return TOO_FAST
    return PHANTOM if doubtful and is_phantom(text, hypothesis.language) else None


def is_phantom(text: str, language: str) -> bool:
    """Whether ``text``, all of it, is a phrase that Whisper writes where nobody speaks, or a noise in brackets."""
    bare = text.strip()
    if bare[:1] + bare[-1:] in ("[]", "()", "**", "♪♪"):
        return True
    return fold(text) in _PHANTOMS.get(language.split("-", maxsplit=1)[0].lower(), frozenset())
