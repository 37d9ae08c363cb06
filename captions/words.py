"""Words of a hypothesis: how they are compared, and how they are joined into text."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from captions.language import primary

UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km", "bo"})
"""Primary BCP 47 tags of languages that are written without spaces between words."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is shown, with its punctuation.

    ``start`` and ``end`` are in seconds; ``confidence`` is a probability in 0..1. All three are None if the decode did
    not align its words. ``corrected_from`` is what was heard, if a term of the vocabulary replaced it.
    """

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    corrected_from: str | None = None

    @property
    def timed(self) -> bool:
        """Whether the word has a start and an end."""
        return self.start is not None and self.end is not None

    @property
    def folded(self) -> str:
        """The word without case and punctuation, for comparisons.

        A word of punctuation alone gives an empty string.
        """
        return fold(self.text)


_SAME_SOUND = {
    0x0131: "i",  # the Turkish i without a dot, whose capital is the I of other languages
    0x0307: None,  # the dot that folding leaves of the Turkish capital with one
    0x0640: None,  # the stroke that lengthens Arabic words
    **dict.fromkeys([*range(0x064B, 0x0653), 0x0670], None),  # Arabic vowel signs, written or not
    **dict.fromkeys([*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7], None),  # Hebrew ones
}


def fold(text: str) -> str:
    """``text`` without case, punctuation, symbols and spaces, in Unicode's compatibility form (NFKC).

    Nor has it the vowel signs of Arabic and Hebrew, which the same word may have or not.
    """
    normal = unicodedata.normalize("NFKC", text).casefold().translate(_SAME_SOUND)
    return "".join(c for c in normal if unicodedata.category(c)[0] not in "PSZC")


def written_with_spaces(language: str) -> bool:
    """Whether ``language`` (BCP 47) is written with spaces between words."""
    return primary(language) not in UNSPACED_LANGUAGES


def join(words: Iterable[Word], language: str) -> str:
    """The text of ``words``, with spaces between them if ``language`` is written with spaces."""
    glue = " " if written_with_spaces(language) else ""
    return glue.join(word.text for word in words).strip()
