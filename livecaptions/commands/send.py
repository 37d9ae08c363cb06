"""``livecaptions send``: a file or a pipe into a room, and its captions back."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from livecaptions.client.display import Display
from livecaptions.client.files import file_frames, pipe_frames
from livecaptions.client.publisher import Event, Publisher, Stream

DEFAULT_SERVER = "http://localhost:8080"


def send(
    file: Annotated[str, typer.Argument(help="Any file with sound, or - for raw PCM16 on standard input.")],
    room: Annotated[str, typer.Option(help="The room to speak in.")],
    url: Annotated[str, typer.Option(help="The server.")] = DEFAULT_SERVER,
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
    fast: Annotated[bool, typer.Option("--fast", help="Send a file at once, not as fast as it is spoken.")] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every message with its arrival time, a line each.")
    ] = False,
) -> None:
    """Send FILE into a room and show its captions. Ctrl-C stops the sound and waits for the last captions."""
    piped = file == "-"
    stream = Stream(
        server=url,
        room=room,
        track=track,
        speaker=speaker,
        encoding=encoding if piped else "linear16",
        sample_rate=sample_rate if piped else 16_000,
        channels=channels if piped else 1,
        language=language,
        vocabulary=tuple(vocabulary or ()),
        token=token,
    )
    frames = pipe_frames() if piped else file_frames(Path(file), fast=fast)
    asyncio.run(_send(stream, frames, jsonl=jsonl))


async def _send(stream: Stream, frames: AsyncIterator[bytes], *, jsonl: bool) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with Display(Console()) as display:

        def tell(event: Event) -> None:
            if jsonl:
                print(json.dumps({"at": round(loop.time() - began, 3), **event}, ensure_ascii=False), flush=True)  # noqa: T201 - the command's output
            else:
                display.show(event)

        publisher = Publisher(stream, tell)
        loop.add_signal_handler(signal.SIGINT, _stop_once, loop, publisher)
        await publisher.publish(frames)


def _stop_once(loop: asyncio.AbstractEventLoop, publisher: Publisher) -> None:
    """Stop the sound; a second Ctrl-C stops everything."""
    publisher.stop()
    loop.remove_signal_handler(signal.SIGINT)
