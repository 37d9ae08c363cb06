"""The last finals on a terminal: a later version takes the place of the one that is shown, until it is printed."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.text import Text

from livecaptions.terminal.subtitles import REFINED, printable
from livecaptions_client import Caption

FREE_ROWS = 4
"""Rows of the terminal that recent finals and partials leave free."""


class Recent:
    """Finals that are not printed yet, in the order of their first versions."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._finals: dict[str, Caption] = {}
        self._known: set[str] = set()
        self._speaker: str | None = None

    def take(self, key: str, event: Caption) -> None:
        """Show a final. What was printed before the second pass changed it stays as it is."""
        if event.pass_ == REFINED and key in self._known and key not in self._finals:
            return
        self._known.add(key)
        self._finals[key] = event

    def settle(self, below: Sequence[Text] | None) -> None:
        """Print the oldest finals, until the others fit on the screen together with ``below``; all of them if None."""
        while self._finals and (below is None or self._rows([*self.lines(), *below]) > self._most_rows):
            self._print(self._finals.pop(next(iter(self._finals))))

    def print(self) -> None:
        """Print all of them."""
        self.settle(None)

    def clear(self) -> None:
        """Forget them: they were deleted."""
        self._finals.clear()

    def lines(self) -> list[Text]:
        """What to show."""
        shown: list[Text] = []
        speaker = self._speaker
        for event in self._finals.values():
            shown += _lines_of(event, speaker)
            speaker = (event.text and event.speaker) or speaker
        return shown

    @property
    def _most_rows(self) -> int:
        return max(1, self._console.height - FREE_ROWS)

    def _rows(self, lines: Sequence[Text]) -> int:
        return len(self._console.render_lines(Group(*lines), pad=False))

    def _print(self, event: Caption) -> None:
        for line in _lines_of(event, self._speaker):
            self._console.print(line, soft_wrap=not self._console.is_terminal)
        self._speaker = (event.text and event.speaker) or self._speaker


def _lines_of(event: Caption, speaker: str | None) -> list[Text]:
    """The caption, below its speaker if ``speaker`` spoke before. Nothing if it was withdrawn."""
    if not event.text:
        return []
    named = event.speaker and event.speaker != speaker
    return [*([Text(printable(event.speaker or ""), style="bold cyan")] if named else []), Text(printable(event.text))]
