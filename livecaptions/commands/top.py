"""``livecaptions top``: metrics of running gateways and workers, live in the terminal."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from livecaptions.commands.send import DEFAULT_SERVER
from livecaptions.top.figures import Figures, figures_of
from livecaptions.top.keys import keys
from livecaptions.top.screen import Screen
from livecaptions.top.target import NoAnswerError, Target

Show = Callable[[Figures], None]


def top(
    url: Annotated[
        list[str] | None,
        typer.Option(
            help="A gateway or worker. May be repeated; several may be separated by commas.", show_default=False
        ),
    ] = None,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two scrapes.")] = 2.0,
    window: Annotated[float, typer.Option(min=1, help="Seconds over which rates and percentiles are computed.")] = 60.0,
    once: Annotated[
        bool, typer.Option("--once", help="Scrape twice, one interval apart, print the figures of that time and exit.")
    ] = False,
    token: Annotated[str | None, typer.Option(help="A token with the right to operate, if metrics need one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, one line per scrape.")] = False,
) -> None:
    """Show load, latency, quality and errors until q or Ctrl-C. With --once it fails if no target answers."""
    addresses = [address for given in url or [DEFAULT_SERVER] for address in given.split(",")]
    targets = [
        Target(address, window=max(window, interval), timeout=max(2.0, interval), token=token) for address in addresses
    ]
    asyncio.run(_once(targets, interval, as_json=as_json) if once else _live(targets, interval, as_json=as_json))


async def _once(targets: Sequence[Target], interval: float, *, as_json: bool) -> None:
    await _scrape(targets)
    await asyncio.sleep(interval)
    figures = await _scrape(targets)
    await _close(targets)
    (_print_json if as_json else _print)(figures)
    if figures.unreachable == len(targets):
        raise NoAnswerError("none of the targets answers")


async def _live(targets: Sequence[Target], interval: float, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with keys(lambda key: stop.set() if key in "qQ" else None), _screen(as_json=as_json) as show:
        while not stop.is_set():
            show(await _scrape(targets))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), interval)
    await _close(targets)


@contextlib.contextmanager
def _screen(*, as_json: bool) -> Iterator[Show]:
    """How figures are shown: full-screen in a terminal, otherwise one after the other."""
    console = Console()
    if as_json:
        yield _print_json
    elif not console.is_terminal:
        yield _print
    else:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, live.refresh)
            yield lambda figures: live.update(Screen(figures, _now()), refresh=True)


async def _scrape(targets: Sequence[Target]) -> Figures:
    at = asyncio.get_running_loop().time()
    await asyncio.gather(*(target.scrape(at) for target in targets))
    return figures_of(targets)


async def _close(targets: Sequence[Target]) -> None:
    for target in targets:
        await target.close()


def _print_json(figures: Figures) -> None:
    """Print the figures as one line of JSON."""
    typer.echo(json.dumps({"at": _now().isoformat(timespec="milliseconds"), **asdict(figures)}))


def _print(figures: Figures) -> None:
    Console().print(Screen(figures, _now()))


def _now() -> datetime:
    return datetime.now().astimezone()
