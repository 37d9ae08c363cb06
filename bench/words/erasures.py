"""Which words captions take back, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from bench.words.scoring import tokens
from captions.messages import CaptionMessage
from captions.quality import Arrival, erased, shown_words

NUMBER = "numbers and spellings: 6 / six"
SPLIT = "one word or two: wood cutters / woodcutters"
UNFINISHED = "the last word was incomplete"
WITHDRAWN = "words at the end were withdrawn"
GUESS = "the last word or words were heard differently"
BACK = "words in the middle were heard differently"
STABLE = "the final corrects a stable word"
FINAL = "the final corrects a word that was not stable"
CAUSES = (UNFINISHED, GUESS, BACK, WITHDRAWN, NUMBER, SPLIT, STABLE, FINAL)

NEAR_THE_END = 2
"""Words: so few at the end of a partial are what was spoken last."""
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Erasure:
    """One version of a caption that took words back.

    ``counted`` are the words that the measure counts: all from the first that differs. ``changed`` are those that are
    really gone; the others stand in the next version too, later in the line.
    """

    cause: str
    counted: int
    changed: int
    example: str


def erasures(arrivals: Sequence[Arrival]) -> Iterator[Erasure]:
    """Every erasure of a track's captions, given in the order in which they came."""
    histories: dict[int, list[CaptionMessage]] = {}
    for arrival in arrivals:
        histories.setdefault(arrival.caption.utterance, []).append(arrival.caption)
    for history in histories.values():
        for before, after in pairwise(history):
            old, new = shown_words(before), shown_words(after)
            if counted := erased(old, new):
                yield _erasure(before, after, old, new, counted)


def _erasure(
    before: CaptionMessage, after: CaptionMessage, old: Sequence[str], new: Sequence[str], counted: int
) -> Erasure:
    at = len(old) - counted
    kept = sum(block.size for block in SequenceMatcher(None, old[at:], new[at:], autojunk=False).get_matching_blocks())
    excerpts = (" ".join(words[max(0, at - 1) : at + _SHOWN]) for words in (old, new))
    return Erasure(_cause(before, after, old, new, at), counted, counted - kept, " / ".join(excerpts))


def _cause(before: CaptionMessage, after: CaptionMessage, old: Sequence[str], new: Sequence[str], at: int) -> str:
    if at == len(new):
        return WITHDRAWN
    if _same_start("".join(old[at:]), "".join(new[at:])) and new[at] not in (old[at], *old[at + 1 : at + 2]):
        return UNFINISHED if at == len(old) - 1 else SPLIT
    if before.language == "en" and tokens(old[at], "en") == tokens(new[at], "en"):
        return NUMBER
    if after.final:
        return STABLE if at < before.stable else FINAL
    if at == len(old) - 1 and new[at].startswith(old[at]):
        return UNFINISHED
    return GUESS if at >= len(old) - NEAR_THE_END else BACK


def _same_start(left: str, right: str) -> bool:
    """Whether one of the texts begins with the other."""
    return left.startswith(right) or right.startswith(left)
