"""When a text goes round in circles: Whisper's usual way of failing.

The measures are OpenAI Whisper's compression ratio, the rate of speech, and phrases repeated one after another.
"""

import zlib
from collections.abc import Sequence

from captions.words import fold, written_with_spaces

MOST_WORDS_PER_SECOND = 6.0
"""Nobody speaks English faster for long; loops reach twice that."""

MOST_CHARACTERS_PER_SECOND = 20.0
"""The same for languages written without spaces, whose words are characters or a few of them."""

HIGHEST_COMPRESSION_RATIO = 2.2
"""OpenAI Whisper doubts a text above 2.4; utterances are shorter than its 30 s windows and compress less."""

_RATE_GRACE = 1.0  # seconds: shorter utterances say too little about a rate
_LONGEST_PHRASE = 12


def compression_ratio(text: str) -> float:
    """Bytes of ``text`` in UTF-8 over bytes compressed by zlib; 1.0 for an empty text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 1.0


def longest_run(words: Sequence[str]) -> int:
    """How often the most repeated phrase stands in a row, counted in repetitions.

    Words are compared without case and punctuation. A phrase has 1 to 12 words; a single word counts one
    repetition less than it stands there, for people do say "no, no, no".
    """
    folded = [word for word in map(fold, words) if word]
    best = min(1, len(folded))
    for size in range(1, min(_LONGEST_PHRASE, len(folded) // 2) + 1):
        same = 0
        for i in range(size, len(folded)):
            same = same + 1 if folded[i] == folded[i - size] else 0
            best = max(best, same // size + (size > 1))
    return best


def looks_looped(words: Sequence[str], language: str, duration: float, ratio: float) -> bool:
    """Whether ``words``, heard in ``duration`` seconds, are a loop and not speech.

    ``language`` is a BCP 47 tag; ``ratio`` is the compression ratio of the words' text.
    """
    if ratio > HIGHEST_COMPRESSION_RATIO or longest_run(words) >= 3:
        return True
    if written_with_spaces(language):
        return len(words) > MOST_WORDS_PER_SECOND * max(duration, _RATE_GRACE)
    return sum(map(len, words)) > MOST_CHARACTERS_PER_SECOND * max(duration, _RATE_GRACE)
