"""Captions in a terminal: stable words bright, volatile words dimmed. Without a terminal, plain lines."""

import json
from collections.abc import Callable
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from livecaptions.terminal.subtitles import Subtitles, printable, styled
from livecaptions_client import AudioWarning, Caption, Deleted, Event, Gap, Reconnecting, Restarted, Track

APART = 30.0
"""Seconds. If the starts of two captions differ by more, they are different utterances, even with the same number."""


class JsonLines:
    """Prints every message as a line of JSON. ``at`` is its arrival, in seconds of ``clock``."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Event) -> None:
        """Print one message."""
        print(json.dumps({"at": round(self._clock(), 3), **event.json}, ensure_ascii=False), file=self._out, flush=True)


class Terminal(Console):
    """A console that raises when the reader of the output has exited. rich would call ``exit`` inside a task."""

    def on_broken_pipe(self) -> None:
        """Raise ``BrokenPipeError`` again."""
        raise BrokenPipeError


class Display:
    """Shows the events of a room. A context manager: at its end, the live part of the screen is removed."""

    def __init__(self, console: Console, *, subtitles: bool = False) -> None:
        self._console = console
        self._partials: dict[str, Caption] = {}
        self._newest = Newest()
        self._speaker: str | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._subtitles = Subtitles() if subtitles and self._live is not None else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Caption():
                self._caption(event)
            case Reconnecting():
                self._note(f"reconnecting: {event.reason}")
            case Restarted():
                self._note("the server no longer knows the session: continuing in a new one")
            case AudioWarning():
                self._note(event.message)
            case Deleted():
                self._partials.clear()
                self._subtitles = None if self._subtitles is None else Subtitles()
                self._refresh()  # a note is printed above what is on the screen
                self._note("what was said until now has been deleted")
            case Gap():
                self._note("some earlier captions are no longer kept")
            case Track() if event.state != "live":
                self._note(f"{event.speaker or event.track} {event.state}")
            case _:
                return
        self._refresh()

    def _caption(self, event: Caption) -> None:
        key = self._newest.take(event)
        if key is None:
            return
        if self._subtitles is not None:
            self._subtitles.take(key, event)
        elif event.final:
            self._partials.pop(key, None)
            self._print(event)
        else:
            self._partials[key] = event

    def _print(self, event: Caption) -> None:
        if not event.text:
            return
        if event.speaker and event.speaker != self._speaker:
            self._console.print(Text(printable(event.speaker), style="bold cyan"), soft_wrap=True)
            self._speaker = event.speaker
        self._console.print(Text(printable(event.text)), soft_wrap=not self._console.is_terminal)

    def _note(self, text: str) -> None:
        self._console.print(Text(f"({printable(text)})", style="dim italic"), soft_wrap=not self._console.is_terminal)

    def _refresh(self) -> None:
        if self._live is not None:
            lines = self._subtitles.lines() if self._subtitles else [styled(event) for event in self._partials.values()]
            self._live.update(Group(*lines), refresh=True)


class Newest:
    """Recognises late and repeated versions of captions.

    A server that lost its log numbers utterances from 0 again. These count as different captions.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], tuple[float, tuple[int, int]]] = {}

    def take(self, event: Caption) -> str | None:
        """Return the caption's key if this version is new, otherwise None."""
        place = (event.track, event.utterance)
        began = event.started_at.timestamp()
        held = self._held.get(place)
        if held is not None and abs(held[0] - began) < APART:
            if event.version <= held[1]:
                return None
            began = held[0]
        self._held[place] = (began, event.version)
        return f"{place[0]}/{place[1]}/{began}"
