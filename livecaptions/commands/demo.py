"""``livecaptions demo``: a server of its own, the bundled talk in real time, its captions and how late they were."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from captions.errors import SetupError
from captions.messages import CaptionMessage
from captions.quality import Arrival, Quality, measure, percentile
from livecaptions import talk
from livecaptions.client.display import Display
from livecaptions.client.files import file_frames
from livecaptions.client.publisher import Event, Publisher, Stream

START_TIMEOUT = 60.0
ROOM = "demo"


def demo(
    port: Annotated[int, typer.Option(help="The server's port; 0 takes a free one.")] = 0,
    seconds: Annotated[float | None, typer.Option(help="Play only the beginning.")] = None,
) -> None:
    """Play the bundled talk into a server of its own and show its captions."""
    console = Console()
    with _server(port or _free_port()) as url:
        asyncio.run(_play(console, url, seconds))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server(port: int) -> Iterator[str]:
    """A server with the embedded model while the context lasts."""
    command = [sys.executable, "-m", "livecaptions.cli", "serve", "--model", "tiny.en"]
    command += ["--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command)  # noqa: S603 - our own program
    try:
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


async def _ready(url: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_TIMEOUT
    async with httpx.AsyncClient() as client:
        while loop.time() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)
    raise SetupError(f"the server did not come up within {START_TIMEOUT:.0f} s; its messages are above")


async def _play(console: Console, url: str, seconds: float | None) -> None:
    await _ready(url)
    console.print(f"The room's page, while this runs: [link]{url}/r/{ROOM}[/link]  (subtitles: ?mode=subtitles)\n")
    loop = asyncio.get_running_loop()
    began = loop.time()
    arrivals: list[Arrival] = []
    with Display(console) as display:

        def tell(event: Event) -> None:
            nonlocal began
            if event["type"] == "ready":
                began = loop.time()
            if event["type"] == "caption":
                arrivals.append(Arrival(loop.time() - began, CaptionMessage.model_validate(event)))
            display.show(event)

        stream = Stream(server=url, room=ROOM, speaker="Joe", language="en")
        await Publisher(stream, tell).publish(file_frames(talk.talk_path(), seconds=seconds))
    reference = [word for word in talk.words() if seconds is None or word.end <= seconds]
    console.print()
    console.print(_figures(measure(arrivals, reference)))


def _figures(quality: Quality) -> Table:
    table = Table("what viewers saw", "p50", "p95", title_justify="left", box=None)
    for name, values in (
        ("first words, after an utterance's beginning", quality.first_partial),
        ("a word shown, after its end", quality.word_shown),
        ("a word stable, after its end", quality.word_stable),
        ("the final, after the endpoint's decision", quality.final),
    ):
        table.add_row(name, f"{percentile(values, 50):.2f} s", f"{percentile(values, 95):.2f} s")
    table.add_row("words taken back, for each word said", f"{quality.erasure:.2f}", "")
    return table
