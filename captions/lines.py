"""Captions laid out as subtitles: cues of at most two lines of at most 42 columns.

The layout follows Netflix's Timed Text Style Guide: 2 lines, 42 columns per line (16 full-width characters in Chinese,
Japanese and Korean), at least 5/6 s on screen, at most 20 columns per second if the pause allows it. Lines break after
a clause where possible, otherwise evenly. Full-width characters count as two columns, combining marks as none.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from captions.language import primary
from captions.marks import ends_clause, ends_sentence
from captions.messages import CaptionMessage, WordMessage
from captions.words import written_with_spaces

LINE_WIDTH = 42
FULL_WIDTH = {"ja": 32, "ko": 32, "yue": 32, "zh": 32}
"""Columns of a line in languages that are written in full-width characters, by primary tag."""
LINES = 2
SHORTEST_CUE = 5 / 6
LONGEST_CUE = 7.0
READING_SPEED = 20.0
"""Columns per second."""
ROUNDING = 0.01


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines shown from ``start`` to ``end``, in seconds from the first sample of the room's first track."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None


class Line(NamedTuple):
    """What stands between two words of a line, and the columns that it has."""

    glue: str
    width: int


def width(text: str) -> int:
    """The number of columns of ``text``. Full-width characters take two, combining and invisible ones none."""
    return sum(map(_columns, text))


def line_width(language: str) -> int:
    """The columns of a line in ``language`` (BCP 47)."""
    return FULL_WIDTH.get(primary(language), LINE_WIDTH)


def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in {"Mn", "Me", "Cf"} else 1


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
    line = Line(" " if written_with_spaces(caption.language) else "", line_width(caption.language))
    for words in _groups(caption.words or (), line):
        start, end = words[0].start + delay, words[-1].end + delay
        yield Cue(start, max(end, start), _lines(words, line), caption.speaker)


def _groups(words: Sequence[WordMessage], line: Line) -> Iterator[list[WordMessage]]:
    """Split words into cues: as many as fit, ended after a sentence or, near the end, after a clause."""
    group: list[WordMessage] = []
    for word in words:
        if group and not _fits([*group, word], line):
            at = _break(group)
            yield group[:at]
            group = group[at:]
        group.append(word)
        if ends_sentence(word.text) and width(line.glue.join(w.text for w in group)) > line.width // 2:
            yield group
            group = []
    if group:
        yield group


def _fits(words: Sequence[WordMessage], line: Line) -> bool:
    return words[-1].end - words[0].start <= LONGEST_CUE and len(_filled(words, line)) <= LINES


def _break(group: Sequence[WordMessage]) -> int:
    """How many words of a full cue to keep: up to the last clause that ends in its second half, otherwise all."""
    for at in range(len(group), len(group) // 2, -1):
        if ends_clause(group[at - 1].text):
            return at
    return len(group)


def _lines(words: Sequence[WordMessage], line: Line) -> tuple[str, ...]:
    """The lines of a cue: one if it fits, otherwise two of similar width, split after a clause where possible."""
    filled = _filled(words, line)
    if len(filled) != LINES:
        return filled
    texts = [word.text for word in words]
    halves = ((line.glue.join(texts[:at]).strip(), line.glue.join(texts[at:]).strip()) for at in range(1, len(texts)))
    fitting = [half for half in halves if max(map(width, half)) <= line.width]
    return min(fitting, key=lambda half: _unevenness(half, line), default=filled)


def _unevenness(half: tuple[str, str], line: Line) -> int:
    first, second = half
    return abs(width(first) - width(second)) - (line.width // 2 if ends_clause(first) else 0)


def _filled(words: Sequence[WordMessage], line: Line) -> tuple[str, ...]:
    """Fill lines with words. A word longer than a line gets a line of its own."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{line.glue}{word.text}" if lines else word.text
        if lines and width(longer) <= line.width:
            lines[-1] = longer
        else:
            lines.append(word.text)
    return tuple(filled.strip() for filled in lines)
