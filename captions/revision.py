"""Hypotheses in, a stable prefix and a volatile tail out.

LocalAgreement-2 (Liu, Spanakis, Niehues 2020; Macháček, Dabre, Bojar 2023) on words: what two hypotheses in a row
agree on is stable. Words are compared without case and punctuation, because Whisper ends a cut-off hypothesis
with a full stop and begins anew with a capital.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from captions.words import Word

# no closing quotes or brackets: those are said, in their way
_CLOSING = ".,!?;:-\u2026\u2013\u2014\u3001\u3002\uff0c\uff01\uff1f\uff1a\uff1b"


class Revision:
    """The state of one utterance between two of its hypotheses.

    A stable word's text never changes again here; the final replaces everything.
    """

    def __init__(self) -> None:
        self._stable: list[Word] = []
        self._tail: list[Word] = []
        self._doubtful_end = False
        self._trimmed = 0

    @property
    def stable(self) -> tuple[Word, ...]:
        """Words that stand until the final."""
        return tuple(self._stable)

    @property
    def volatile(self) -> tuple[Word, ...]:
        """Words that may still change, without the punctuation that a cut-off sentence got at its end.

        A last word that may still be being spoken is shown once two hypotheses agree on it: half of the words
        taken back were such.
        """
        shown = self._tail[:-1] if self._doubtful_end else self._tail
        if not shown:
            return ()
        return (*shown[:-1], without_closing_punctuation(shown[-1]))

    @property
    def words(self) -> tuple[Word, ...]:
        """What is shown."""
        return self.stable + tuple(word for word in self.volatile if word.text)

    @property
    def trimmed(self) -> tuple[Word, ...]:
        """Stable words whose audio is no longer decoded: context for what is."""
        return tuple(self._stable[: self._trimmed])

    def recall(self, stable: Sequence[Word]) -> None:
        """Keep the words that another worker made stable before this one went on with its utterance."""
        self._stable = list(stable)

    def update(self, words: Sequence[Word], *, touches_end: bool) -> None:
        """Hear the next hypothesis, of the audio after what was trimmed.

        ``touches_end``: its last word may still be being spoken, so it is not made stable.
        """
        said = self._stable[self._trimmed :]
        tail = list(words[_after(said, words) :])
        agreed = sum(1 for _ in takewhile(_same, zip(self._tail, tail, strict=False)))
        self._doubtful_end = touches_end and agreed < len(tail)
        if touches_end:
            agreed = max(0, min(agreed, len(tail) - 1))
        self._commit(tail[:agreed], at_end=agreed == len(tail))
        self._tail = tail[agreed:]

    def trim(self, words: Sequence[Word]) -> float | None:
        """Stop decoding what is stable: ``words`` is the aligned hypothesis last heard.

        The end of the last stable word, seconds into the hypothesis's window, or None where there is nothing to trim.
        """
        said = self._stable[self._trimmed :]
        last = _after(said, words) - 1
        if not said or last < 0 or words[last].folded != said[-1].folded:
            return None
        self._trimmed = len(self._stable)
        return words[last].end

    def _commit(self, words: Sequence[Word], *, at_end: bool) -> None:
        self._stable += words
        if words and at_end:
            self._stable[-1] = without_closing_punctuation(self._stable[-1])


def without_closing_punctuation(word: Word) -> Word:
    """The word as it may go on; a word of punctuation alone becomes empty."""
    return replace(word, text=word.text.rstrip(_CLOSING))


def _same(pair: tuple[Word, Word]) -> bool:
    return pair[0].folded == pair[1].folded


def _after(said: Sequence[Word], words: Sequence[Word]) -> int:
    """How many of ``words`` say what was ``said``: the prefix with the least edit distance to it.

    Of several, the one nearest in length, so that a word heard differently is not shown twice.
    """
    if len(words) >= len(said) and all(map(_same, zip(said, words, strict=False))):
        return len(said)
    row = list(range(len(words) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(words, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, diagonal + (word.folded != other.folded))
            diagonal, row[j] = row[j], cost
    return min(range(len(row)), key=lambda j: (row[j], abs(j - len(said))))
