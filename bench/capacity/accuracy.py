"""Word error rate, computed as in the Whisper paper."""

from collections.abc import Sequence

from jiwer import process_words
from whisper_normalizer.english import EnglishTextNormalizer

_normalize = EnglishTextNormalizer()


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Errors per word of the references, over all pairs, after OpenAI's English normalizer; nan without words."""
    expected = [_normalize(text) for text in references]
    if not any(expected):
        return float("nan")
    return float(process_words(expected, [_normalize(text) for text in hypotheses]).wer)
