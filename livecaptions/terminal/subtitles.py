"""The last words of a room, as two lines of at most 42 columns whose line breaks stay in place."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from rich.text import Text

from captions.lines import LINE_WIDTH, LINES, width
from captions.words import written_with_spaces
from livecaptions_client import Caption

RECENT = 12
"""The number of utterances kept, which is more than enough to fill two lines."""

REFINED = "refined"
"""The pass of captions that were decoded again with more context."""

STABLE, VOLATILE = "bold", "not bold dim"


def words_of(event: Caption) -> tuple[list[str], str]:
    """The words of a caption and the separator between them. Without spaces in the language, words are characters."""
    glue = " " if written_with_spaces(event.language) else ""
    if event.words:
        return [printable(word.text) for word in event.words], glue
    text = printable(event.text)
    return (text.split() if glue else list(text)), glue


def printable(text: str) -> str:
    """``text`` without control characters, so that captions cannot control the terminal."""
    return "".join(character for character in text if unicodedata.category(character) != "Cc")


def styled(event: Caption) -> Text:
    """A caption with bright stable words and dimmed volatile words."""
    words, glue = words_of(event)
    return _line(range(len(words)), words, glue, len(words) if event.final else event.stable)


def _line(places: Sequence[int], words: Sequence[str], glue: str, stable: int) -> Text:
    parts: list[tuple[str, str]] = []
    for stands, run in groupby(places, key=lambda place: place < stable):
        text = (glue if parts else "") + glue.join(words[place] for place in run)
        parts.append((text, STABLE if stands else VOLATILE))
    return Text.assemble(*parts)


class Subtitles:
    """Lays out the lines. A word at the start of a line stays there while its caption is revised."""

    def __init__(self) -> None:
        self._captions: dict[str, Caption] = {}
        self._began: dict[str, set[int]] = {}
        self._latest: datetime | None = None

    def take(self, key: str, event: Caption) -> None:
        """Store the newest version of the caption under ``key``. A version without text removes it.

        What the second pass changes stands already, or is gone: it neither moves nor comes back.
        """
        held = self._captions.get(key)
        read = held.final if held else self._latest is not None and event.started_at <= self._latest
        if event.pass_ == REFINED and read:
            return
        self._latest = max(event.started_at, self._latest or event.started_at)
        if not event.text:
            self._captions.pop(key, None)
            self._began.pop(key, None)
            return
        self._captions[key] = event
        self._began.setdefault(key, set())
        if len(self._captions) > RECENT:
            oldest = next(iter(self._captions))
            del self._captions[oldest], self._began[oldest]

    def lines(self) -> list[Text]:
        """The lines to show, at most two."""
        return [line for key, event in self._captions.items() for line in _laid(event, self._began[key])][-LINES:]


def _laid(event: Caption, began: set[int]) -> Iterator[Text]:
    words, glue = words_of(event)
    stable = len(words) if event.final else event.stable
    began.intersection_update(range(len(words)))
    for places in _filled(words, glue, began):
        yield _line(places, words, glue, stable)


def _filled(words: Sequence[str], glue: str, began: set[int]) -> list[list[int]]:
    """Positions of words, line by line. The positions of words that start a line are added to ``began``."""
    lines: list[list[int]] = []
    columns = 0
    for place, word in enumerate(words):
        columns += width(glue) + width(word)
        if not lines or columns > LINE_WIDTH or place in began:
            lines.append([])
            columns = width(word)
            began.add(place)
        lines[-1].append(place)
    return lines
