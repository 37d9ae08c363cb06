"""Captions laid out as subtitles: cues of at most two lines of at most 42 columns.

The layout follows Netflix's Timed Text Style Guide: 2 lines, 42 columns per line, at least 5/6 s on screen, at most 20
columns per second if the pause allows it. Lines break after a clause where possible, otherwise evenly. Full-width
characters count as two columns.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from captions.messages import CaptionMessage, WordMessage
from captions.words import written_with_spaces

LINE_WIDTH = 42
LINES = 2
SHORTEST_CUE = 5 / 6
LONGEST_CUE = 7.0
READING_SPEED = 20.0
"""Columns per second."""
ROUNDING = 0.01

_SENTENCE_END = (".", "?", "!", "\u2026", "\u3002", "\uff1f", "\uff01")
_CLAUSE_END = (",", ";", ":", "\u3001", "\uff0c")


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines shown from ``start`` to ``end``, in seconds from the first sample of the room's first track."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None


def width(text: str) -> int:
    """The number of columns of ``text``. Full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cues(captions: Iterable[CaptionMessage]) -> list[Cue]:
    """Lay out captions, given in the order they were spoken and read twice. Cues of one track do not overlap.

    A cue stays for ``SHORTEST_CUE`` and for the time it takes to read, as far as the next cue leaves that time.
    """
    found = [
        (caption.track, cue)
        for caption, delay in zip(captions, _delays(captions), strict=True)
        for cue in _cues_of(caption, delay)
    ]
    laid: list[Cue] = []
    following: dict[str, float] = {}
    for track, cue in reversed(found):
        reading = sum(width(line) for line in cue.lines) / READING_SPEED
        end = min(max(cue.end, cue.start + SHORTEST_CUE, cue.start + reading), following.get(track, float("inf")))
        laid.append(Cue(cue.start, max(end, cue.start), cue.lines, cue.speaker))
        following[track] = cue.start
    return laid[::-1]


def _delays(captions: Iterable[CaptionMessage]) -> list[float]:
    """For each caption, the seconds from the room's first sample to the first sample of its track."""
    origins: dict[str, float] = {}
    found = []
    for caption in captions:
        origin = caption.started_at.timestamp() - caption.start
        # times in messages are rounded, so smaller differences mean the same origin
        if abs(origin - origins.get(caption.track, float("inf"))) > ROUNDING:
            origins[caption.track] = origin
        found.append(origins[caption.track])
    return [round(origin - min(found), 3) for origin in found]


def _cues_of(caption: CaptionMessage, delay: float) -> Iterator[Cue]:
    glue = " " if written_with_spaces(caption.language) else ""
    for words in _groups(caption.words or (), glue):
        start, end = words[0].start + delay, words[-1].end + delay
        yield Cue(start, max(end, start), _lines(words, glue), caption.speaker)


def _groups(words: Sequence[WordMessage], glue: str) -> Iterator[list[WordMessage]]:
    """Split words into cues: as many as fit, ended after a sentence or, near the end, after a clause."""
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
    return words[-1].end - words[0].start <= LONGEST_CUE and len(_filled(words, glue)) <= LINES


def _break(group: Sequence[WordMessage]) -> int:
    """How many words of a full cue to keep: up to the last clause that ends in its second half, otherwise all."""
    for at in range(len(group), len(group) // 2, -1):
        if group[at - 1].text.endswith((*_SENTENCE_END, *_CLAUSE_END)):
            return at
    return len(group)


def _lines(words: Sequence[WordMessage], glue: str) -> tuple[str, ...]:
    """The lines of a cue: one if it fits, otherwise two of similar width, split after a clause where possible."""
    filled = _filled(words, glue)
    if len(filled) != LINES:
        return filled
    texts = [word.text for word in words]
    halves = ((glue.join(texts[:at]).strip(), glue.join(texts[at:]).strip()) for at in range(1, len(texts)))
    fitting = [half for half in halves if max(map(width, half)) <= LINE_WIDTH]
    return min(fitting, key=_unevenness, default=filled)


def _unevenness(half: tuple[str, str]) -> int:
    first, second = half
    at_a_clause = first.endswith((*_SENTENCE_END, *_CLAUSE_END))
    return abs(width(first) - width(second)) - (LINE_WIDTH // 2 if at_a_clause else 0)


def _filled(words: Sequence[WordMessage], glue: str) -> tuple[str, ...]:
    """Fill lines with words. A word longer than a line gets a line of its own."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{glue}{word.text}" if lines else word.text
        if lines and width(longer) <= LINE_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word.text)
    return tuple(line.strip() for line in lines)
