"""``livecaptions demo``: a server of its own, the bundled talk in real time, its captions and how late they were."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from captions.errors import SetupError
from captions.messages import CaptionMessage
from captions.quality import Arrival, Quality, measure, percentile
from livecaptions import talk
from livecaptions.client.display import Display
from livecaptions.client.files import file_frames
from livecaptions.client.publisher import Event, Publisher, Stream
from livecaptions.settings.fields import ENV_PREFIX

START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
ROOM = "demo"

Server = subprocess.Popen[bytes]


def demo(
    port: Annotated[int, typer.Option(help="The server's port; 0 takes a free one.")] = 0,
    seconds: Annotated[float | None, typer.Option(help="Play only the beginning.")] = None,
) -> None:
    """Play the bundled talk into a server of its own and show its captions."""
    console = Console()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # the server is stopped on every way out
    free = _free(port)
    console.print("Starting a server with the embedded model...", style="dim")
    with _server(free) as server:
        url = f"http://localhost:{free}"
        asyncio.run(play(console, url, f"{url}/r/{ROOM}", [server], seconds))


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _free(port: int) -> int:
    """The port, or a free one for 0. Raises ``SetupError`` where another program has it."""
    try:
        with socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise SetupError(f"cannot listen on port {port}: {error.strerror}; name another with --port") from error


@contextlib.contextmanager
def _server(port: int) -> Iterator[Server]:
    """A server with the embedded model, none of the machine's settings, while the context lasts."""
    command = [sys.executable, "-m", "livecaptions.cli", "serve", "--model", "tiny.en"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own program
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def ready(url: str, needed: Sequence[Server]) -> None:
    """Return when the server takes sessions. Raises ``SetupError`` where one ``needed`` ends, or it takes too long."""
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while True:
                    if any(process.poll() is not None for process in needed):
                        raise SetupError("the server did not start; its messages are above")
                    with contextlib.suppress(httpx.TransportError):
                        if (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK:
                            return
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise SetupError(f"the server was not ready within {START_TIMEOUT:.0f} s") from error


async def play(console: Console, url: str, page: str, needed: Sequence[Server], seconds: float | None) -> None:
    """Play the talk to the server at ``url`` and show its captions and how late they were."""
    await ready(url, needed)
    console.print(f"Open [link]{page}[/link] in a browser while this runs.\n", soft_wrap=True)
    arrivals: list[Arrival] = []
    with Display(console) as display:

        def tell(event: Event) -> None:
            if event["type"] == "caption":
                arrivals.append(Arrival(publisher.elapsed, CaptionMessage.model_validate(event)))
            display.show(event)

        publisher = Publisher(Stream(server=url, room=ROOM, speaker="Joe", language="en"), tell)
        await publisher.publish(file_frames(talk.talk_path(), seconds=seconds))
    reference = [word for word in talk.words() if seconds is None or word.end <= seconds]
    finals = [caption for _, caption in arrivals if caption.final and caption.text]
    console.print("\n[bold]The transcript[/bold]\n")
    console.print(Padding(" ".join(caption.text for caption in finals), (0, 2)), markup=False)
    console.print()
    console.print(_figures(measure(arrivals, reference)))


def _figures(quality: Quality) -> Table:
    table = Table("What viewers saw", "p50", "p95", box=None, pad_edge=False)
    for name, values in (
        ("first words, after an utterance's beginning", quality.first_partial),
        ("a word shown, after its end", quality.word_shown),
        ("a word stable, after its end", quality.word_stable),
        ("the final, after the endpoint's decision", quality.final),
    ):
        table.add_row(name, *(f"{percentile(values, p):.2f} s" if values else "none" for p in (50, 95)))
    table.add_row("words taken back, for each word said", f"{quality.erasure:.2f}", "")
    return table
