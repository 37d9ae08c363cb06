"""What viewers see, measured: how soon words appear, how soon they stand, how much is taken back.

Times are seconds on one clock that starts with the stream's first sample, sent in real time: a caption's arrival
minus a word's time in the audio is then its latency.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import NamedTuple, Protocol

from captions.messages import CaptionMessage
from captions.words import fold, written_with_spaces

ENDPOINT = 0.5
"""Seconds after an utterance's last word at which its end is decided."""


class Spoken(Protocol):
    """A word of the reference, with its times in seconds."""

    @property
    def text(self) -> str:
        """The word."""
        ...

    @property
    def start(self) -> float:
        """When it begins."""
        ...

    @property
    def end(self) -> float:
        """When it ends."""
        ...


class Arrival(NamedTuple):
    """A caption and when it came."""

    at: float
    caption: CaptionMessage


@dataclass(frozen=True, slots=True)
class Quality:
    """Latencies in seconds, one for each word or utterance; erasure as words taken back for each word of the finals.

    ``word_shown``: a word's first correct appearance, after its end; 0 where it was there already.
    ``word_stable``: the same, of the appearance after which it never changes (case and punctuation aside).
    ``first_partial``: an utterance's first words, after its first word's beginning.
    ``final``: its final, after its endpoint was decided, 500 ms after its last word.
    ``erasure``: normalized erasure (Arivazhagan et al. 2020, "Re-translation versus streaming for simultaneous
    translation") over words without case and punctuation; ``raw_erasure`` over words as they are written.
    """

    word_shown: list[float]
    word_stable: list[float]
    first_partial: list[float]
    final: list[float]
    erasure: float
    raw_erasure: float


def measure(arrivals: Sequence[Arrival], reference: Sequence[Spoken]) -> Quality:
    """Measure the captions of one track, in the order they came, against the words that were spoken.

    Captions that are not newer than what was shown are left out, as viewers do.
    """
    histories: dict[int, list[Arrival]] = {}
    for arrival in arrivals:
        history = histories.setdefault(arrival.caption.utterance, [])
        if not history or arrival.caption.version > history[-1].caption.version:
            history.append(arrival)
    finished = {u: history for u, history in sorted(histories.items()) if history[-1].caption.final}
    quality = Quality([], [], [], [], *_erasures(list(finished.values())))
    for utterance, spoken in _aligned(finished, reference).items():
        _utterance(quality, finished[utterance], spoken)
    return quality


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below or at which ``percent`` of them lie (nearest rank); nan of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(0, rank - 1)]


def _utterance(quality: Quality, history: Sequence[Arrival], spoken: dict[int, Spoken]) -> None:
    """Add one utterance; ``spoken`` maps places in its final to the words of the reference said there."""
    caption = history[-1].caption
    final = shown_words(caption)
    present = [places(final, shown_words(arrival.caption)) for arrival in history]
    for place, word in spoken.items():
        first = next(n for n, found in enumerate(present) if place in found)
        stable = max((n + 1 for n, found in enumerate(present) if place not in found), default=0)
        quality.word_shown.append(max(0.0, history[first].at - word.end))
        quality.word_stable.append(max(0.0, history[stable].at - word.end))
    onset, end = min(word.start for word in spoken.values()), max(word.end for word in spoken.values())
    if 0 not in spoken:  # its first word was misheard: the caption's own time is the best there is
        onset = min(onset, caption.start)
    if len(final) - 1 not in spoken:
        end = max(end, caption.end)
    first_words = next(arrival.at for arrival in history if arrival.caption.text)
    first_final = next(arrival.at for arrival in history if arrival.caption.final)
    quality.first_partial.append(max(0.0, first_words - onset))
    quality.final.append(max(0.0, first_final - end - ENDPOINT))


def shown_words(caption: CaptionMessage, *, raw: bool = False) -> list[str]:
    """The words of a caption as they are compared, or ``raw`` as they are written."""
    return written_words(caption.text, caption.language) if raw else comparable_words(caption.text, caption.language)


def written_words(text: str, language: str) -> list[str]:
    """The words of ``text``; characters where the language writes no spaces."""
    return text.split() if written_with_spaces(language) else list(text)


def comparable_words(text: str, language: str) -> list[str]:
    """The words of ``text`` without case and punctuation."""
    return [folded for word in written_words(text, language) if (folded := fold(word))]


def places(final: Sequence[str], shown: Sequence[str]) -> set[int]:
    """The places of the final whose words are shown, in order."""
    same = _common_prefix(final, shown)
    blocks = SequenceMatcher(None, final[same:], shown[same:], autojunk=False).get_matching_blocks()
    return {*range(same), *(same + block.a + n for block in blocks for n in range(block.size))}


def erased(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words of ``before`` are taken back where ``after`` is shown in its place."""
    return len(before) - _common_prefix(before, after)


def _common_prefix(left: Sequence[str], right: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _aligned(finished: dict[int, list[Arrival]], reference: Sequence[Spoken]) -> dict[int, dict[int, Spoken]]:
    """Which words of the reference each final has right: by utterance, then by place in it."""
    places = [
        (utterance, place, word)
        for utterance, history in finished.items()
        for place, word in enumerate(shown_words(history[-1].caption))
    ]
    said = [fold(word.text) for word in reference]
    aligned: dict[int, dict[int, Spoken]] = {}
    matcher = SequenceMatcher(None, said, [word for _, _, word in places], autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            utterance, place, _ = places[block.b + offset]
            aligned.setdefault(utterance, {})[place] = reference[block.a + offset]
    return aligned


def _erasures(histories: Sequence[Sequence[Arrival]]) -> tuple[float, float]:
    return _erasure(histories, raw=False), _erasure(histories, raw=True)


def _erasure(histories: Sequence[Sequence[Arrival]], *, raw: bool) -> float:
    taken_back = words = 0
    for history in histories:
        versions = [shown_words(arrival.caption, raw=raw) for arrival in history]
        words += len(versions[-1])
        taken_back += sum(erased(before, after) for before, after in pairwise(versions))
    return taken_back / words if words else 0.0
