"""``livecaptions watch``: show a room's captions in the terminal."""

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
    """How captions are shown."""

    TRANSCRIPT = "transcript"
    SUBTITLES = "subtitles"


def watch(
    room: Annotated[str, typer.Argument(help="The room to view.")],
    url: Annotated[
        str, typer.Option(help="The server, or several servers of one installation, separated by commas.")
    ] = DEFAULT_SERVER,
    mode: Annotated[Mode, typer.Option(help="The whole transcript, or only the last two lines.")] = Mode.TRANSCRIPT,
    after: Annotated[int | None, typer.Option(help="Show only events after this seq.")] = None,
    track: Annotated[list[str] | None, typer.Option(help="Show only this track. May be repeated.")] = None,
    partials: Annotated[bool, typer.Option(help="Show partial captions, which may still change.")] = True,
    token: Annotated[str | None, typer.Option(help="The token, if the server requires one.")] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every message as a line of JSON; `at` is seconds since the start.")
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
        screen = Display(Terminal(), subtitles=mode is Mode.SUBTITLES, so_far=True)
    with screen:
        async with aclosing(events):
            async for event in events:
                screen.show(event)
