"""Word error rate, as Whisper's authors count it."""

from collections.abc import Sequence

from jiwer import process_words
from whisper_normalizer.english import EnglishTextNormalizer

_normalize = EnglishTextNormalizer()


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Errors for each word of the references, all pairs together, after OpenAI's English normalizer; nan of none."""
    said = [_normalize(text) for text in references]
    if not any(said):
        return float("nan")
    return float(process_words(said, [_normalize(text) for text in hypotheses]).wer)
