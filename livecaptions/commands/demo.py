"""``livecaptions demo``: start a server, play the bundled talk in real time, show its captions and their latencies."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from captions.messages import CaptionMessage
from captions.quality import Arrival, Quality, measure, percentile
from livecaptions import talk
from livecaptions.processes import Process, exit_on_signals, free_port, own_server, ready
from livecaptions.terminal.display import Display
from livecaptions.terminal.files import file_frames
from livecaptions_client import Caption, publish

ROOM = "demo"


def demo(
    port: Annotated[int, typer.Option(help="The server's port; 0 picks a free one.")] = 0,
    seconds: Annotated[float | None, typer.Option(help="Play only this many seconds of the talk.")] = None,
) -> None:
    """Start a server, play the bundled talk and show its captions."""
    console = Console()
    exit_on_signals()
    free = free_port(port)
    console.print("Starting a server with the embedded model...", style="dim")
    with own_server(free, "--model", "tiny.en") as server:
        url = f"http://localhost:{free}"
        asyncio.run(play(console, url, f"{url}/r/{ROOM}", [server], seconds))


async def play(console: Console, url: str, page: str, needed: Sequence[Process], seconds: float | None) -> None:
    """Play the talk to the server at ``url`` and show its captions and their latencies.

    ``page`` is the room's address for browsers. Raises ``SetupError`` if one of ``needed`` exits.
    """
    await ready(url, needed)
    console.print(f"Open [link]{page}[/link] in a browser while this runs.\n", soft_wrap=True)
    arrivals: list[Arrival] = []
    with Display(console) as display:
        async with publish(url, ROOM, speaker="Joe", language="en") as publication:
            publication.feed(file_frames(talk.talk_path(), seconds=seconds))
            async for event in publication:
                if isinstance(event, Caption):
                    arrivals.append(Arrival(publication.elapsed, CaptionMessage.model_validate(event.json)))
                display.show(event)
    reference = [word for word in talk.words() if seconds is None or word.end <= seconds]
    finals = [caption for _, caption in arrivals if caption.final and caption.text]
    console.print("\n[bold]The transcript[/bold]\n")
    console.print(Padding(" ".join(caption.text for caption in finals), (0, 2)), markup=False)
    console.print()
    console.print(_figures(measure(arrivals, reference)))


def _figures(quality: Quality) -> Table:
    table = Table("What viewers saw", "p50", "p95", box=None, pad_edge=False)
    for name, values in (
        ("first words, after the start of an utterance", quality.first_partial),
        ("word shown, after its end", quality.word_shown),
        ("word stable, after its end", quality.word_stable),
        ("final, after the endpoint", quality.final),
    ):
        table.add_row(name, *(f"{percentile(values, p):.2f} s" if values else "none" for p in (50, 95)))
    table.add_row("erased words per spoken word", f"{quality.erasure:.2f}", "")
    return table
