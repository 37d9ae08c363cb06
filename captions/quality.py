"""Quality as viewers see it: how soon words appear, how soon they become stable, and how many are erased.

Times are seconds on a clock that starts with the stream's first sample, and the stream is sent in real time. The
latency of a word is therefore the caption's arrival minus the word's time in the audio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import NamedTuple, Protocol

from captions.caption import Pass
from captions.messages import CaptionMessage
from captions.words import fold, written_with_spaces

ENDPOINT = 0.5
"""Seconds from an utterance's last word to the detection of its end."""


class Spoken(Protocol):
    """A word of the reference transcript, with its times in seconds."""

    @property
    def text(self) -> str:
        """The word."""
        ...

    @property
    def start(self) -> float:
        """Its start."""
        ...

    @property
    def end(self) -> float:
        """Its end."""
        ...


class Arrival(NamedTuple):
    """A caption and the time it arrived, in seconds."""

    at: float
    caption: CaptionMessage


@dataclass(frozen=True, slots=True)
class Quality:
    """Latencies in seconds, one per word or utterance, and erasure in erased words per word of the finals.

    ``word_shown``: from the end of a word to its first correct appearance; 0 if it appeared earlier.
    ``word_stable``: from the end of a word to its last change, ignoring case and punctuation.
    ``first_partial``: from the start of an utterance's first word to its first caption with text.
    ``final``: from the endpoint, 500 ms after the last word, to the final.
    ``erasure``: normalized erasure (Arivazhagan et al. 2020, "Re-translation versus streaming for simultaneous
    translation") on words without case and punctuation; ``raw_erasure`` on words as written.
    """

    word_shown: list[float]
    word_stable: list[float]
    first_partial: list[float]
    final: list[float]
    erasure: float
    raw_erasure: float


def measure(arrivals: Sequence[Arrival], reference: Sequence[Spoken]) -> Quality:
    """Measure the live captions of one track, in order of arrival, against the words of the reference.

    Captions that are not newer than the one shown are ignored, as viewers ignore them. What a later pass changes is
    ignored too: it comes long after the words were read.
    """
    histories: dict[int, list[Arrival]] = {}
    for arrival in arrivals:
        if arrival.caption.version.pass_ is not Pass.LIVE:
            continue
        history = histories.setdefault(arrival.caption.utterance, [])
        if not history or arrival.caption.version > history[-1].caption.version:
            history.append(arrival)
    finished = {u: history for u, history in sorted(histories.items()) if history[-1].caption.final}
    quality = Quality([], [], [], [], *_erasures(list(finished.values())))
    for utterance, spoken in _aligned(finished, reference).items():
        _utterance(quality, finished[utterance], spoken)
    return quality


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of ``values``, with ``percent`` in 0..100; nan if there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(0, rank - 1)]


def _utterance(quality: Quality, history: Sequence[Arrival], spoken: dict[int, Spoken]) -> None:
    """Add one utterance. ``spoken`` maps positions in its final to words of the reference."""
    caption = history[-1].caption
    final = shown_words(caption)
    present = [places(final, shown_words(arrival.caption)) for arrival in history]
    for place, word in spoken.items():
        first = next(n for n, found in enumerate(present) if place in found)
        stable = max((n + 1 for n, found in enumerate(present) if place not in found), default=0)
        quality.word_shown.append(max(0.0, history[first].at - word.end))
        quality.word_stable.append(max(0.0, history[stable].at - word.end))
    onset, end = min(word.start for word in spoken.values()), max(word.end for word in spoken.values())
    if 0 not in spoken:  # the first word is wrong, so the caption's start is the best estimate
        onset = min(onset, caption.start)
    if len(final) - 1 not in spoken:
        end = max(end, caption.end)
    first_words = next(arrival.at for arrival in history if arrival.caption.text)
    first_final = next(arrival.at for arrival in history if arrival.caption.final)
    quality.first_partial.append(max(0.0, first_words - onset))
    quality.final.append(max(0.0, first_final - end - ENDPOINT))


def shown_words(caption: CaptionMessage, *, raw: bool = False) -> list[str]:
    """The words of a caption without case and punctuation, or as written if ``raw``."""
    return written_words(caption.text, caption.language) if raw else comparable_words(caption.text, caption.language)


def written_words(text: str, language: str) -> list[str]:
    """The words of ``text``, or its characters if the language is written without spaces."""
    return text.split(" ") if written_with_spaces(language) else list(text)


def comparable_words(text: str, language: str) -> list[str]:
    """The words of ``text`` without case and punctuation."""
    return [folded for word in written_words(text, language) if (folded := fold(word))]


def places(final: Sequence[str], shown: Sequence[str]) -> set[int]:
    """The positions of the words of ``final`` that also occur in ``shown``, in the same order."""
    same = _common_prefix(final, shown)
    blocks = SequenceMatcher(None, final[same:], shown[same:], autojunk=False).get_matching_blocks()
    return {*range(same), *(same + block.a + n for block in blocks for n in range(block.size))}


def erased(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words of ``before`` are erased when ``after`` replaces it."""
    return len(before) - _common_prefix(before, after)


def _common_prefix(left: Sequence[str], right: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _aligned(finished: dict[int, list[Arrival]], reference: Sequence[Spoken]) -> dict[int, dict[int, Spoken]]:
    """The words of the reference that each final got right, by utterance and position."""
    places = [
        (utterance, place, word)
        for utterance, history in finished.items()
        for place, word in enumerate(shown_words(history[-1].caption))
    ]
    expected = [fold(word.text) for word in reference]
    aligned: dict[int, dict[int, Spoken]] = {}
    matcher = SequenceMatcher(None, expected, [word for _, _, word in places], autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            utterance, place, _ = places[block.b + offset]
            aligned.setdefault(utterance, {})[place] = reference[block.a + offset]
    return aligned


def _erasures(histories: Sequence[Sequence[Arrival]]) -> tuple[float, float]:
    return _erasure(histories, raw=False), _erasure(histories, raw=True)


def _erasure(histories: Sequence[Sequence[Arrival]], *, raw: bool) -> float:
    erased_words = words = 0
    for history in histories:
        versions = [shown_words(arrival.caption, raw=raw) for arrival in history]
        words += len(versions[-1])
        erased_words += sum(erased(before, after) for before, after in pairwise(versions))
    return erased_words / words if words else 0.0
