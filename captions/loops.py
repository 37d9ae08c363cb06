"""When a text goes round in circles: Whisper's usual way of failing.

The measures are OpenAI Whisper's compression ratio, the rate of speech, and phrases repeated one after another.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from captions.words import fold, written_with_spaces

MAX_WORDS_PER_SECOND = 6.0
"""Nobody speaks English faster for long; loops reach twice that."""

MAX_CHARACTERS_PER_SECOND = 20.0
"""The same for languages written without spaces, whose words are characters or a few of them."""

HIGHEST_COMPRESSION_RATIO = 2.2
"""OpenAI Whisper doubts a text above 2.4; utterances are shorter than its 30 s windows and compress less."""

_RATE_GRACE = 1.0  # seconds: shorter utterances say too little about a rate
_LONGEST_PHRASE = 12


def compression_ratio(text: str) -> float:
    """Bytes of ``text`` in UTF-8 over bytes compressed by zlib; 1.0 for an empty text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 1.0


class Repetition(NamedTuple):
    """A phrase said ``times`` times in a row: words ``begin`` to ``end`` say it first, up to ``stop`` it goes on.

    The last round may be incomplete; ``times`` counts whole ones.
    """

    begin: int
    end: int
    times: int
    stop: int

    @property
    def looped(self) -> bool:
        """Whether people seldom say it so often: a phrase three times, a single word six times."""
        return self.times >= (6 if self.end - self.begin == 1 else 3)

    @property
    def unusual(self) -> bool:
        """Whether it is worth another look: a phrase twice, a single word three times."""
        return self.times >= (3 if self.end - self.begin == 1 else 2)


def repetition(words: Sequence[str]) -> Repetition | None:
    """The phrase of 1 to 12 words that is repeated most, without case and punctuation; None where none is.

    A looping phrase is preferred to one that is not, then what stands there oftenest, then the shortest.
    """
    kept = [(i, folded) for i, folded in enumerate(map(fold, words)) if folded]
    best: Repetition | None = None
    rank: tuple[bool, int, int, int] | None = None
    for size in range(1, min(_LONGEST_PHRASE, len(kept) // 2) + 1):
        same = 0
        for i in range(size, len(kept)):
            same = same + 1 if kept[i][1] == kept[i - size][1] else 0
            if same < size:
                continue
            first = i - same - size + 1
            found = Repetition(kept[first][0], kept[first + size - 1][0] + 1, same // size + 1, kept[i][0] + 1)
            found_rank = (found.looped, found.times, -size, same)
            if rank is None or found_rank > rank:
                best, rank = found, found_rank
    return best


def looks_looped(words: Sequence[str], language: str, duration: float, ratio: float) -> bool:
    """Whether ``words``, heard in ``duration`` seconds, may be a loop: their times and a second look tell.

    So may a text that is nothing but a phrase said twice. ``language`` is a BCP 47 tag; ``ratio`` is the compression
    ratio of the words' text.
    """
    said = repetition(words)
    return (
        ratio > HIGHEST_COMPRESSION_RATIO
        or (said is not None and (said.unusual or (said.begin, said.stop) == (0, len(words))))
        or too_fast(words, language, duration)
    )


def too_fast(words: Sequence[str], language: str, duration: float) -> bool:
    """Whether nobody says ``words`` in ``duration`` seconds."""
    if written_with_spaces(language):
        return len(words) > MAX_WORDS_PER_SECOND * max(duration, _RATE_GRACE)
    return sum(map(len, words)) > MAX_CHARACTERS_PER_SECOND * max(duration, _RATE_GRACE)
