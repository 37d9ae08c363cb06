"""A soak test for memory leaks: many live streams for a long time, with the scripted engine.

``python -m bench.soak [--minutes 30] [--streams 60] [--plot FILE.png]`` prints a Markdown table. Each stream is a
publisher and a viewer in a separate room. After a minute, the next session begins in a new room, so leaks of sessions
and rooms would show. The server's resident memory is sampled every 10 s. It grows in the first minutes until the log
has reached its retention, so the slope is computed over the second half.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median
from typing import Annotated

import typer
import uvloop
from matplotlib.figure import Figure

from bench import scripted
from bench.capacity.pacing import Pace
from bench.capacity.run import speak
from bench.capacity.systems import Livecaptions, Running
from bench.capacity.usage import Usage
from captions.quality import percentile
from livecaptions.processes import exit_on_signals, free_port, ready, running

EVERY = 10.0
"""Seconds between two samples."""

MEGABYTE = 2**20


@dataclass(frozen=True)
class Sample:
    """The server's resident memory in megabytes, ``at`` seconds after the start."""

    at: float
    memory: float


@dataclass
class Counted:
    """Counts of sessions, wrong transcripts and failures, and the worst delay of frames in seconds."""

    sessions: int = 0
    wrong: int = 0
    failures: list[str] = field(default_factory=list)
    late: float = 0.0


async def stream(server: Running, name: str, until: float, counted: Counted, *, wait: float) -> None:
    """Run one session after the other. The first begins after ``wait`` seconds."""
    said = scripted.recording()
    system = Livecaptions()
    await asyncio.sleep(wait)
    number = 0
    while time.monotonic() < until:
        pace = Pace(said.audio, system.frame)
        result = await speak(system, server, f"{name}-{number}", said, pace)
        number += 1
        counted.sessions += 1
        if result.failure is not None:
            counted.failures.append(result.failure)
        else:
            counted.wrong += result.received.text != said.text
        counted.late = max(counted.late, percentile(pace.late, 99))


async def soak(server: Running, streams: int, seconds: float) -> tuple[list[Sample], Counted]:
    """Run the streams for ``seconds``, with their starts spread over one session, and sample memory."""
    usage, counted = Usage(server.pids), Counted()
    samples: list[Sample] = []
    began = time.monotonic()
    until = began + seconds
    apart = scripted.recording().seconds / streams
    async with asyncio.TaskGroup() as group:
        for number in range(streams):
            group.create_task(stream(server, f"soak-{number}", until, counted, wait=number * apart))
        while (now := time.monotonic()) < until:
            samples.append(Sample(now - began, usage.memory() / MEGABYTE))
            await asyncio.sleep(EVERY)
    return samples, counted


def table(samples: Sequence[Sample], counted: Counted, streams: int) -> str:
    """The results as a Markdown table."""
    rows = [
        ("concurrent streams", str(streams)),
        ("minutes", f"{samples[-1].at / 60:.1f}"),
        ("sessions", f"{counted.sessions}, {counted.wrong} with a wrong transcript"),
        ("failed sessions", "; ".join((str(len(counted.failures)), *sorted(set(counted.failures))))),
        ("memory, medians of the quarters", " / ".join(f"{memory:.0f}" for memory in quarters(samples)) + " MB"),
        ("slope of the second half", f"{slope(samples[len(samples) // 2 :]):+.1f} MB per hour"),
        ("delay of sent frames, p99 of the worst session", f"{counted.late * 1000:.0f} ms"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def quarters(samples: Sequence[Sample]) -> list[float]:
    """The median memory of each quarter of the run, in MB."""
    bounds = [round(len(samples) * part / 4) for part in range(5)]
    return [median(s.memory for s in samples[begin:end]) for begin, end in pairwise(bounds) if begin < end]


def slope(samples: Sequence[Sample]) -> float:
    """The slope in MB per hour, by least squares; nan for fewer than two samples."""
    if len(samples) < 2:
        return float("nan")
    return linear_regression([s.at / 3600 for s in samples], [s.memory for s in samples]).slope


def picture(samples: Sequence[Sample], path: Path) -> None:
    """Plot memory over time to a PNG file."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([s.at / 60 for s in samples], [s.memory for s in samples])
    axes.set(xlabel="minutes", ylabel="resident memory, MB", ylim=(0, None))
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main(
    minutes: Annotated[float, typer.Option(min=0.5)] = 30.0,
    streams: Annotated[int, typer.Option(min=1)] = 60,
    plot: Annotated[Path | None, typer.Option(help="Write a plot to this PNG file.")] = None,
) -> None:
    """Run many streams for a long time and measure the server's memory."""
    exit_on_signals()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running([sys.executable, "-m", "bench.scripted", str(port)]) as process:
        asyncio.run(ready(url, [process]))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            samples, counted = runner.run(soak(Running(url, [process.pid]), streams, minutes * 60))
    print(table(samples, counted, streams))
    if plot is not None:
        picture(samples, plot)


if __name__ == "__main__":
    typer.run(main)
