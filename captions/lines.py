"""Captions laid out as subtitles: cues of at most two lines of at most 42 characters.

After Netflix's Timed Text Style Guide: 2 lines, 42 characters a line, at least 5/6 s on screen, lines broken
at the end of clauses where they can be. Characters are counted by the width they are shown with.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from captions.messages import CaptionMessage, WordMessage
from captions.words import written_with_spaces

LINE_WIDTH = 42
LINES = 2
SHORTEST_CUE = 5 / 6
LONGEST_CUE = 7.0

_SENTENCE_END = (".", "?", "!", "\u2026", "\u3002", "\uff1f", "\uff01")
_CLAUSE_END = (",", ";", ":", "\u3001", "\uff0c")


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines to show from ``start`` to ``end``, seconds from the track's first sample."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None


def width(text: str) -> int:
    """Columns that ``text`` takes: full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cues(captions: Sequence[CaptionMessage]) -> list[Cue]:
    """The cues of captions in the order they were spoken; cues of one track do not overlap."""
    found = [(caption.track, cue) for caption in captions for cue in _cues_of(caption)]
    laid: list[Cue] = []
    following: dict[str, float] = {}
    for track, cue in reversed(found):
        end = min(max(cue.end, cue.start + SHORTEST_CUE), following.get(track, float("inf")))
        laid.append(Cue(cue.start, max(end, cue.start), cue.lines, cue.speaker))
        following[track] = cue.start
    return laid[::-1]


def _cues_of(caption: CaptionMessage) -> Iterator[Cue]:
    glue = " " if written_with_spaces(caption.language) else ""
    for words in _groups(caption.words or (), glue):
        yield Cue(words[0].start, max(words[-1].end, words[0].start), _lines(words, glue), caption.speaker)


def _groups(words: Sequence[WordMessage], glue: str) -> Iterator[list[WordMessage]]:
    """Words of one cue each: as many as fit, ended at a sentence or, near the end, at a clause."""
    group: list[WordMessage] = []
    for word in words:
        if group and not _fits([*group, word], glue):
            at = _break(group)
            yield group[:at]
            group = group[at:]
        group.append(word)
        if word.text.endswith(_SENTENCE_END) and width(glue.join(w.text for w in group)) > LINE_WIDTH // 2:
            yield group
            group = []
    if group:
        yield group


def _fits(words: Sequence[WordMessage], glue: str) -> bool:
    return words[-1].end - words[0].start <= LONGEST_CUE and len(_lines(words, glue)) <= LINES


def _break(group: Sequence[WordMessage]) -> int:
    """How many words of a full cue to show: up to the last clause that ends in its second half, else all."""
    for at in range(len(group), len(group) // 2, -1):
        if group[at - 1].text.endswith((*_SENTENCE_END, *_CLAUSE_END)):
            return at
    return len(group)


def _lines(words: Sequence[WordMessage], glue: str) -> tuple[str, ...]:
    """Words filled into lines; one longer than a line stands alone."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{glue}{word.text}" if lines else word.text
        if lines and width(longer) <= LINE_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word.text)
    return tuple(line.strip() for line in lines)
