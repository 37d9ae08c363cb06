"""Hallucination gates: which words of a hypothesis to believe.

On noise Whisper always writes something. No single measure tells it from speech: the no-speech probability of quiet
speech reaches 0.6 and that of noise falls to 0.2, single words have low probabilities, "Thank you." is what people say
and what Whisper writes on applause. So doubts are put together. The thresholds are measured on speech and on noise:
clean speech loses no words to them, a short mumbled piece over a telephone line can.
"""

from dataclasses import dataclass, replace

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

    Words are withdrawn where ``no_speech_probability`` is at least ``no_speech`` and ``mean_log_probability`` at most
    ``unlikely``; where the probability is at least ``no_speech_hint`` with a mean at most ``very_unlikely``; and
    whatever the probability where the mean is at most ``gibberish``. A phantom phrase, or a text whose words repeat
    letters or a long phrase, needs only ``doubt_no_speech`` or ``doubt_unlikely``; a phrase said again and again needs
    ``chant_no_speech`` or ``doubt_unlikely``. A word that begins ``late`` seconds or more after the audio's end is
    withdrawn.
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
    """The words that are left, and the gates that withdrew others."""

    words: tuple[Word, ...]
    fired: tuple[str, ...]


DEFAULTS = GateSettings()


def screen(hypothesis: Hypothesis, duration: float, settings: GateSettings = DEFAULTS) -> Screened:
    """The words of ``hypothesis`` that can be believed, of a window of ``duration`` seconds.

    Words that begin past the audio's end are withdrawn, and words that there was no time to say: the rounds of a loop,
    and texts that nobody speaks so fast. The words before and after them stay. Then every word is withdrawn where there
    is likely no speech and the words are improbable, where a text repeats itself and there is some doubt, and where all
    there is is a phrase that Whisper writes where nobody speaks, with some doubt besides.
    """
    fired: list[str] = []
    words = tuple(w for w in hypothesis.words if w.start is None or w.start < duration + settings.late)
    if len(words) < len(hypothesis.words):
        fired.append(LATE_WORDS)
    if runs := unspoken(words, hypothesis.language, duration):
        said = repetition([word.text for word in words])
        fired.append(LOOP if said is not None and said.looped else TOO_FAST)
        words = tuple(word for i, word in enumerate(words) if not any(i in run for run in runs))
    gate = _gate(replace(hypothesis, words=words), settings) if words else None
    return Screened((), (*fired, gate)) if gate else Screened(words, tuple(fired))


def _gate(hypothesis: Hypothesis, settings: GateSettings) -> str | None:
    """The gate that doubts all words of ``hypothesis``."""
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
        said = repetition([word.text for word in hypothesis.words])
        chant = said is not None and said.looped  # its words have their time: people say such things
        if likelihood <= settings.doubt_unlikely or silence >= (
            settings.chant_no_speech if chant else settings.doubt_no_speech
        ):
            return REPETITIVE
    return PHANTOM if doubtful and is_phantom(text, hypothesis.language) else None


def is_phantom(text: str, language: str) -> bool:
    """Whether ``text``, all of it, is a phrase that Whisper writes where nobody speaks, or a noise in brackets."""
    bare = text.strip()
    if bare[:1] + bare[-1:] in ("[]", "()", "**", "♪♪"):
        return True
    return fold(text) in _PHANTOMS.get(language.split("-", maxsplit=1)[0].lower(), frozenset())
