"""Captions in a terminal: stable words bright, volatile words dimmed. Without a terminal, plain lines."""

import json
from collections.abc import Callable
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live as LiveScreen
from rich.text import Text

from captions.transcript import in_order_spoken
from livecaptions.terminal.recent import Recent
from livecaptions.terminal.subtitles import Subtitles, printable, styled
from livecaptions_client import AudioWarning, Caption, Deleted, Event, Gap, Live, Reconnecting, Restarted, Track

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
    """Shows the events of a room. A context manager: at its end, the live part of the screen is removed.

    With ``so_far``, the room so far comes first, until ``live``, and again after each lost connection. It comes in the
    order of its last changes, and is shown in the order it was spoken.
    """

    def __init__(self, console: Console, *, subtitles: bool = False, so_far: bool = False) -> None:
        self._console = console
        self._partials: dict[str, Caption] = {}
        self._newest = Newest()
        self._subtitles = Subtitles() if subtitles and console.is_terminal else None
        self._recent = Recent(console)
        self._replays = so_far
        self._so_far: list[Caption | Track] | None = [] if so_far else None
        self._live: LiveScreen | None = None
        if console.is_terminal:
            screen = self._screen
            self._live = LiveScreen(console=console, auto_refresh=False, transient=True, get_renderable=screen)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._show_so_far()
        if self._live is not None:
            self._live.stop()
        self._recent.print()

    def show(self, event: Event) -> None:
        """Show one event."""
        if self._so_far is not None and isinstance(event, Caption | Track):
            self._so_far.append(event)
            return
        match event:
            case Caption():
                self._caption(event)
            case Live():
                self._show_so_far()
            case Reconnecting():
                self._show_so_far()
                self._so_far = [] if self._replays else None
                self._note(f"reconnecting: {event.reason}")
            case Restarted():
                self._note("the server no longer knows the session: continuing in a new one")
            case AudioWarning():
                self._note(event.message)
            case Deleted():
                self._partials.clear()
                self._recent.clear()
                self._so_far = None if self._so_far is None else []
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

    def _show_so_far(self) -> None:
        events, self._so_far = self._so_far or [], None
        for caption in in_order_spoken(event for event in events if isinstance(event, Caption)):
            self._caption(caption)
        for event in events:
            if isinstance(event, Track):
                self.show(event)

    def _caption(self, event: Caption) -> None:
        key = self._newest.take(event)
        if key is None:
            return
        if self._subtitles is not None:
            self._subtitles.take(key, event)
            return
        if event.final:
            self._partials.pop(key, None)
            self._recent.take(key, event)
        else:
            self._partials[key] = event
        self._recent.settle(self._partial_lines() if self._live is not None else None)

    def _partial_lines(self) -> list[Text]:
        return [styled(event) for event in self._partials.values()]

    def _note(self, text: str) -> None:
        self._recent.print()
        self._console.print(Text(f"({printable(text)})", style="dim italic"), soft_wrap=not self._console.is_terminal)

    def _screen(self) -> Group:
        return Group(*(self._subtitles.lines() if self._subtitles else self._recent.lines() + self._partial_lines()))

    def _refresh(self) -> None:
        if self._live is not None:
            self._live.refresh()


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
