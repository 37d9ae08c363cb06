"""``livecaptions send``: send a file or a pipe to a room and show its captions."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from captions.errors import SetupError
from captions.stream_options import MOST_ASKED
from livecaptions.term_files import terms_in
from livecaptions.terminal.display import Display, JsonLines, Terminal
from livecaptions.terminal.files import file_frames, pipe_frames
from livecaptions_client import Publication, publish

DEFAULT_SERVER = "http://localhost:8080"
INTERRUPTED = 130


def send(
    file: Annotated[str, typer.Argument(help="An audio or video file, or - for raw audio on standard input.")],
    room: Annotated[str, typer.Option(help="The room to publish in.")],
    url: Annotated[
        str, typer.Option(help="The server, or several servers of one installation, separated by commas.")
    ] = DEFAULT_SERVER,
    track: Annotated[str, typer.Option(help="The name of the audio source, such as a microphone.")] = "main",
    speaker: Annotated[str | None, typer.Option(help="The name shown with the captions.")] = None,
    language: Annotated[str | None, typer.Option(help="The spoken language: a BCP 47 tag, or auto.")] = None,
    languages: Annotated[
        str | None, typer.Option(help="The languages that auto looks among, separated by commas, such as de,en.")
    ] = None,
    vocabulary: Annotated[list[str] | None, typer.Option(help="A term to expect. May be repeated.")] = None,
    vocabulary_file: Annotated[
        Path | None,
        typer.Option(help="A file of terms to expect, one a line: term | sounds like, sounds like | weight."),
    ] = None,
    endpointing: Annotated[
        float | None, typer.Option(help="Seconds of silence that end an utterance, 0.1 to 5.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="Encoding of standard input: linear16, float32, mulaw, alaw or container.")
    ] = "linear16",
    sample_rate: Annotated[int, typer.Option(help="Sample rate of standard input, in Hz.")] = 16_000,
    channels: Annotated[int, typer.Option(help="Number of channels of standard input.")] = 1,
    token: Annotated[str | None, typer.Option(help="The token, if the server requires one.")] = None,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="If another publisher holds the track, end its session and take over.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Send as fast as possible instead of in real time.")] = False,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print every message as a line of JSON; `at` is seconds since the audio began."),
    ] = False,
) -> None:
    """Send FILE to a room and show its captions. Ctrl-C stops the audio and waits for the last captions."""
    piped = file == "-"
    expected = [*(vocabulary or ()), *(terms_in(vocabulary_file) if vocabulary_file is not None else ())]
    if len(expected) > MOST_ASKED:
        raise SetupError(
            f"{len(expected)} terms are more than the {MOST_ASKED} that a session may ask for; "
            f"give them to the room: livecaptions rooms glossary {room} --set FILE"
        )
    publication = publish(
        url,
        room,
        track=track,
        speaker=speaker,
        encoding=encoding if piped else "linear16",
        sample_rate=sample_rate if piped else 16_000,
        channels=channels if piped else 1,
        language=language,
        languages=languages.split(",") if languages else (),
        vocabulary=expected,
        endpointing=endpointing,
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
    """Publish and show captions. Returns whether Ctrl-C was pressed: once ends the audio, twice ends everything."""
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
