"""``livecaptions watch``: a room's captions in the terminal."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import StrEnum
from typing import Annotated

import typer

from livecaptions.commands.send import DEFAULT_SERVER
from livecaptions.terminal.display import Display, JsonLines, Terminal
from livecaptions_client import Event, view


class Mode(StrEnum):
    """The two ways to read."""

    TRANSCRIPT = "transcript"
    SUBTITLES = "subtitles"


def watch(
    room: Annotated[str, typer.Argument(help="The room to read.")],
    url: Annotated[
        str, typer.Option(help="The server; or several of one installation, separated by commas.")
    ] = DEFAULT_SERVER,
    mode: Annotated[Mode, typer.Option(help="Everything that was said, or the last lines.")] = Mode.TRANSCRIPT,
    after: Annotated[int | None, typer.Option(help="Begin after this seq.")] = None,
    track: Annotated[list[str] | None, typer.Option(help="Only this track; may be repeated.")] = None,
    partials: Annotated[bool, typer.Option(help="Show captions while they are revised.")] = True,
    token: Annotated[str | None, typer.Option(help="Where the server asks for one.")] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every message, a line each; `at` is seconds since the start.")
    ] = False,
) -> None:
    """Show a room's captions until Ctrl-C."""
    events = view(url, room, after=after, tracks=track or (), partials=partials, token=token)
    asyncio.run(_watch(events, mode, jsonl=jsonl))


async def _watch(events: AsyncGenerator[Event, None], mode: Mode, *, jsonl: bool) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    screen: Display | JsonLines
    if jsonl:
        screen = JsonLines(sys.stdout, lambda: loop.time() - began)
    else:
        screen = Display(Terminal(), subtitles=mode is Mode.SUBTITLES)
    with screen:
        async with aclosing(events):
            async for event in events:
                screen.show(event)
