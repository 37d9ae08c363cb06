"""Splits successive hypotheses into a stable prefix and a volatile tail.

It uses local agreement (Liu, Spanakis, Niehues 2020; Macháček, Dabre, Bojar 2023) on words: words that successive
hypotheses agree on become stable, and until then a word that is shown gives way only to what hypotheses agree on.
``captions.stability`` says how many. Case and punctuation are ignored, because Whisper ends an incomplete hypothesis
with a full stop and starts the next one with a capital letter.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from captions.marks import CLOSING
from captions.stability import AGREEMENTS, DEFAULT, Agreement
from captions.words import Word


class Revision:
    """The stable and volatile words of one utterance.

    The text of a stable word never changes here. The final replaces all words.
    """

    def __init__(self) -> None:
        self._stable: list[Word] = []
        self._shown: list[Word] = []
        self._tail: list[Word] = []
        self._agreed: list[int] = [0]
        self._trimmed = 0

    @property
    def stable(self) -> tuple[Word, ...]:
        """The words that do not change before the final."""
        return tuple(self._stable)

    @property
    def volatile(self) -> tuple[Word, ...]:
        """The words that may still change, without the closing punctuation of an incomplete sentence."""
        if not self._shown:
            return ()
        return (*self._shown[:-1], without_closing_punctuation(self._shown[-1]))

    @property
    def words(self) -> tuple[Word, ...]:
        """The words that viewers see."""
        return self.stable + tuple(word for word in self.volatile if word.text)

    @property
    def trimmed(self) -> tuple[Word, ...]:
        """Stable words whose audio is no longer decoded. They are the context of the next decode."""
        return tuple(self._stable[: self._trimmed])

    def recall(self, stable: Sequence[Word]) -> None:
        """Start with the words that another worker had made stable before this worker took over the utterance."""
        self._stable = list(stable)

    def update(
        self,
        words: Sequence[Word],
        *,
        touches_end: bool,
        agreement: Agreement = AGREEMENTS[DEFAULT],
    ) -> None:
        """Take in the next hypothesis, which covers the audio after the trimmed words.

        ``touches_end``: the last word may be incomplete, so it does not become stable, and is shown only once two
        hypotheses agree on it: half of all erased words were such words.
        """
        tail = list(words[_length_of(self._stable[self._trimmed :], words) :])
        agreed = self._agreements(tail)
        sure = sum(1 for _ in takewhile(lambda times: times >= agreement.stable, agreed[:-1]))
        if touches_end:
            sure = max(0, min(sure, len(tail) - 1))
        complete = len(tail) - (agreement.held_back if touches_end else 0)
        visible = sum(1 for _ in takewhile(lambda place: place < complete or agreed[place] > 1, range(len(tail))))
        shown = self._revised(tail, agreed, visible, agreement.replaced)
        self._commit(tail[:sure], at_end=sure == len(tail))
        self._shown, self._tail, self._agreed = shown[sure:], tail[sure:], agreed[sure:]

    def _agreements(self, tail: Sequence[Word]) -> list[int]:
        """How many hypotheses in a row agree with ``tail`` up to each of its words; the last item counts its end too.

        Shape (words + 1,).
        """
        same = _common(self._tail, tail)
        if same == len(tail) == len(self._tail):
            same += 1
        return [self._agreed[place] + 1 if place < same else 1 for place in range(len(tail) + 1)]

    def _revised(self, tail: Sequence[Word], agreed: Sequence[int], visible: int, replaced: int) -> list[Word]:
        """What is shown after the stable words: a word is only taken back once its successor is agreed on."""
        same = _common(self._shown, tail)
        if same < len(self._shown) and agreed[same] < replaced:
            return [*tail[:same], *self._shown[same:]]
        return list(tail[: max(same, visible)])

    def trim(self, words: Sequence[Word]) -> float | None:
        """Stop decoding the stable words. ``words`` is the last hypothesis, with word times.

        Returns the end of the last stable word in seconds from the start of the hypothesis's window, or None if there
        is nothing to trim.
        """
        stable = self._stable[self._trimmed :]
        last = _length_of(stable, words) - 1
        if not stable or last < 0 or words[last].folded != stable[-1].folded:
            return None
        self._trimmed = len(self._stable)
        return words[last].end

    def _commit(self, words: Sequence[Word], *, at_end: bool) -> None:
        self._stable += words
        if words and at_end:
            self._stable[-1] = without_closing_punctuation(self._stable[-1])


def without_closing_punctuation(word: Word) -> Word:
    """The word without punctuation at its end. A word of punctuation alone becomes empty."""
    return replace(word, text=word.text.rstrip(CLOSING).rstrip())


def _same(pair: tuple[Word, Word]) -> bool:
    return pair[0].folded == pair[1].folded


def _common(left: Sequence[Word], right: Sequence[Word]) -> int:
    return sum(1 for _ in takewhile(_same, zip(left, right, strict=False)))


def _length_of(stable: Sequence[Word], words: Sequence[Word]) -> int:
    """How many of ``words`` correspond to ``stable``: the length of the prefix with the least edit distance to it.

    Among equals, the one nearest in length is taken, so that a word that was decoded differently is not shown twice.
    """
    if len(words) >= len(stable) and all(map(_same, zip(stable, words, strict=False))):
        return len(stable)
    row = list(range(len(words) + 1))
    for i, word in enumerate(stable, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(words, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, diagonal + (word.folded != other.folded))
            diagonal, row[j] = row[j], cost
    return min(range(len(row)), key=lambda j: (row[j], abs(j - len(stable))))
