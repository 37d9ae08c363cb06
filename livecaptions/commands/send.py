"""``livecaptions send``: a file or a pipe into a room, and its captions back."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from livecaptions.terminal.display import Display, JsonLines, Terminal
from livecaptions.terminal.files import file_frames, pipe_frames
from livecaptions_client import Publication, publish

DEFAULT_SERVER = "http://localhost:8080"
INTERRUPTED = 130


def send(
    file: Annotated[str, typer.Argument(help="Any file with sound, or - for raw sound on standard input.")],
    room: Annotated[str, typer.Option(help="The room to speak in.")],
    url: Annotated[
        str, typer.Option(help="The server; or several of one installation, separated by commas.")
    ] = DEFAULT_SERVER,
    track: Annotated[str, typer.Option(help="The audio source: a microphone, a participant.")] = "main",
    speaker: Annotated[str | None, typer.Option(help="The name shown with the captions.")] = None,
    language: Annotated[str | None, typer.Option(help="BCP 47 tag, or auto.")] = None,
    vocabulary: Annotated[list[str] | None, typer.Option(help="A term to expect; may be repeated.")] = None,
    encoding: Annotated[
        str, typer.Option(help="Of standard input: linear16, float32, mulaw, alaw, container.")
    ] = "linear16",
    sample_rate: Annotated[int, typer.Option(help="Of standard input, Hz.")] = 16_000,
    channels: Annotated[int, typer.Option(help="Of standard input.")] = 1,
    token: Annotated[str | None, typer.Option(help="Where the server asks for one.")] = None,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="End the session of whoever publishes on the track, and take it over.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Send at once, not as fast as it is spoken.")] = False,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print every message, a line each; `at` is seconds since the sound began."),
    ] = False,
) -> None:
    """Send FILE into a room and show its captions. Ctrl-C stops the sound and waits for the last captions."""
    piped = file == "-"
    publication = publish(
        url,
        room,
        track=track,
        speaker=speaker,
        encoding=encoding if piped else "linear16",
        sample_rate=sample_rate if piped else 16_000,
        channels=channels if piped else 1,
        language=language,
        vocabulary=vocabulary or (),
        token=token,
        takeover=takeover,
    )
    if piped:
        frames = pipe_frames(bytes_per_second=None if fast else publication.bytes_per_second)
    else:
        frames = file_frames(Path(file), fast=fast)
    if asyncio.run(_send(publication, frames, jsonl=jsonl)):
        raise typer.Exit(INTERRUPTED)


async def _send(publication: Publication, frames: AsyncIterator[bytes], *, jsonl: bool) -> bool:
    """Publish and show; whether Ctrl-C ended it: the first one ends the sound, a second one everything."""
    screen = JsonLines(sys.stdout, lambda: publication.elapsed) if jsonl else Display(Terminal())
    interrupted = asyncio.Event()
    publishing = asyncio.create_task(_publish(publication, frames, screen))

    def stop() -> None:
        if interrupted.is_set():
            publishing.cancel()
        interrupted.set()
        publication.stop()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
    with screen:
        await asyncio.wait([publishing])
    if not publishing.cancelled():
        publishing.result()
    return interrupted.is_set()


async def _publish(publication: Publication, frames: AsyncIterator[bytes], screen: Display | JsonLines) -> None:
    async with publication:
        publication.feed(frames)
        async for event in publication:
            screen.show(event)
