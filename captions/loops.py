"""Detection of loops, Whisper's most common failure: it writes the same phrase again and again.

The measures are OpenAI Whisper's compression ratio, the rate of speech, and phrases that are repeated in a row.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from captions.words import fold, written_with_spaces

MAX_WORDS_PER_SECOND = 6.0
"""People do not speak English faster than this for long. Loops reach twice that."""

MAX_CHARACTERS_PER_SECOND = 20.0
"""The same limit for languages written without spaces."""

HIGHEST_COMPRESSION_RATIO = 2.2
"""OpenAI Whisper uses 2.4. Utterances are shorter than its 30 s windows and compress less."""

_RATE_GRACE = 1.0  # seconds: shorter utterances are too short to measure a rate
_LONGEST_PHRASE = 12


def compression_ratio(text: str) -> float:
    """The size of ``text`` in UTF-8 divided by its size after zlib; 1.0 for an empty text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 1.0


class Repetition(NamedTuple):
    """A phrase that occurs ``times`` times in a row.

    Words ``begin`` to ``end`` (exclusive) are the first occurrence, words up to ``stop`` the repetitions. The last
    repetition may be incomplete; ``times`` counts complete ones.
    """

    begin: int
    end: int
    times: int
    stop: int

    @property
    def looped(self) -> bool:
        """Whether this is probably a loop: a phrase three times, or a single word six times."""
        return self.times >= (6 if self.end - self.begin == 1 else 3)

    @property
    def unusual(self) -> bool:
        """Whether the window should be decoded again: a phrase twice, or a single word three times."""
        return self.times >= (3 if self.end - self.begin == 1 else 2)


def repetition(words: Sequence[str]) -> Repetition | None:
    """The most repeated phrase of 1 to 12 words, ignoring case and punctuation; None if nothing is repeated.

    A loop is preferred to other repetitions, then the phrase with the most repetitions, then the shortest.
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
    """Whether ``words``, decoded from ``duration`` seconds of audio, may be a loop and need a second decode.

    A text that consists of one phrase said twice also counts. ``language`` is a BCP 47 tag; ``ratio`` is the
    compression ratio of the text.
    """
    repeated = repetition(words)
    return (
        ratio > HIGHEST_COMPRESSION_RATIO
        or (repeated is not None and (repeated.unusual or (repeated.begin, repeated.stop) == (0, len(words))))
        or too_fast(words, language, duration)
    )


def too_fast(words: Sequence[str], language: str, duration: float) -> bool:
    """Whether ``words`` are too many for ``duration`` seconds of speech."""
    if written_with_spaces(language):
        return len(words) > MAX_WORDS_PER_SECOND * max(duration, _RATE_GRACE)
    return sum(map(len, words)) > MAX_CHARACTERS_PER_SECOND * max(duration, _RATE_GRACE)
