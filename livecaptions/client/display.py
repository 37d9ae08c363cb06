"""Captions in a terminal: stable words bright, volatile words dimmed; plain lines where there is no terminal."""

from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from livecaptions.client.publisher import Event


class Display:
    """Shows a room as it is told. A context manager: the live part is gone after it."""

    def __init__(self, console: Console, *, subtitles: bool = False) -> None:
        self._console = console
        self._subtitles = subtitles
        self._partials: dict[tuple[str, int], Event] = {}
        self._versions: dict[tuple[str, int], tuple[int, int]] = {}
        self._last: list[Event] = []
        self._speaker: str | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: Event) -> None:
        """Take one message of the server in."""
        match event["type"]:
            case "caption":
                self._caption(event)
            case "reconnecting":
                self._note(f"reconnecting: {event['reason']}")
            case "gap":
                self._note("some of what was said is no longer kept")
            case "track" if event["state"] != "live":
                self._note(f"{event.get('speaker') or event['track']} {event['state']}")
            case _:
                return
        self._refresh()

    def _caption(self, event: Event) -> None:
        key = (event["track"], event["utterance"])
        version = ({"live": 0, "refined": 1, "edited": 2}[event["pass"]], event["revision"])
        if version <= self._versions.get(key, (-1, -1)):
            return
        self._versions[key] = version
        if not event["final"]:
            self._partials[key] = event
            return
        self._partials.pop(key, None)
        if event["text"] and self._subtitles and self._live is not None:
            self._last = [*self._last[-1:], event]
        elif event["text"]:
            self._print(event)

    def _print(self, event: Event) -> None:
        speaker = event.get("speaker")
        if speaker and speaker != self._speaker:
            self._console.print(Text(speaker, style="bold cyan"))
            self._speaker = speaker
        self._console.print(Text(event["text"]), soft_wrap=not self._console.is_terminal)

    def _note(self, text: str) -> None:
        self._console.print(Text(f"({text})", style="dim italic"))

    def _refresh(self) -> None:
        if self._live is not None:
            shown = (self._last if self._subtitles else []) + list(self._partials.values())
            self._live.update(Group(*map(styled, shown)), refresh=True)


def styled(event: Event) -> Text:
    """A caption with its stable words bright and the others dimmed."""
    words = event["text"].split(" ")
    stable = len(words) if event["final"] else event["stable"]
    text = Text(" ".join(words[:stable]), style="bold")
    if stable < len(words):
        text.append(" " * bool(stable) + " ".join(words[stable:]), style="not bold dim")
    return text
