"""Many viewers that join a room with a long history at once, while publishers are connected: bench/capacity.md.

``python -m bench.gateway.hall [--viewers 2000] [--finals 3000] [--history all] [--streams 5]`` starts a gateway on the
first core. Publishers and viewers run in other processes on the other cores. *Added delay* is defined as in
``bench.gateway`` and is measured before the viewers join, while they join and afterwards. Memory is the gateway's.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from asyncio.subprocess import Process as Crowd
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psutil
import typer
import uvloop

from bench.capacity.usage import Usage
from bench.gateway.clients import Publisher, connected
from bench.gateway.crowd import Seen
from bench.gateway.speakers import Sent, added, send, spread
from bench.gateway.voices import Segment, Voice, voices
from captions.quality import percentile
from livecaptions.processes import Process, exit_on_signals, free_port, ready, running
from streamer.vad import DetectorName

QUIET = 8.0
"""Seconds with publishers alone before the viewers join, and with all viewers afterwards."""

LONGEST = 180.0
"""The longest time that publishers can speak, in seconds."""

MEGABYTE = 2**20
PEAK = "at most"


@dataclass
class Coming:
    """The results. Times are seconds of the monotonic clock; memory is in megabytes by moment."""

    seen: list[Seen | str] = field(default_factory=list)
    began: float = 0.0
    there: float = 0.0
    left: float = 0.0
    sent: Sent = field(default_factory=dict)
    late: list[float] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)


async def crowd(port: int, viewers: int, history: str) -> Crowd:
    """Start a process of viewers that are ready to connect. It has a lower priority than the publishers."""
    command = (sys.executable, "-m", "bench.gateway.crowd", str(port), str(viewers), history)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, limit=2**24, preexec_fn=lambda: os.nice(5)
    )
    await next_line(process)
    return process


async def next_line(process: Crowd) -> bytes:
    """The next line of its output."""
    return await process.stdout.readline() if process.stdout is not None else b""


def signal_next(process: Crowd) -> None:
    """Make its viewers connect, or disconnect."""
    if process.stdin is not None:
        process.stdin.write(b"\n")


async def measure(
    server: Process, port: int, parts: list[Voice], *, streams: int, viewers: int, history: str, processes: int,
    afterwards: float,
) -> Coming:  # fmt: skip
    """Let the viewers join, stay and leave. Memory is sampled again ``afterwards`` seconds later."""
    coming, stop = Coming(), asyncio.Event()
    await ready(f"http://127.0.0.1:{port}", [server])
    usage = Usage([server.pid])
    hall = [await crowd(port, viewers // processes, history) for _ in range(processes)]
    first = await crowd(port, 1, "all")
    signal_next(first)
    await next_line(first)
    publishers = [Publisher(f"room-{number}") for number in range(streams)]
    await connected(publishers, port)
    sending = asyncio.create_task(send(publishers, parts, lambda _: not stop.is_set()))
    await asyncio.sleep(QUIET)

    def look(moment: str) -> None:
        coming.memory[moment] = max(
            usage.memory() / MEGABYTE, coming.memory.get(moment, 0.0) if moment == PEAK else 0.0
        )

    async def watch() -> None:
        while True:
            look(PEAK)
            await asyncio.sleep(0.1)

    look("before")
    watching = asyncio.create_task(watch())
    coming.began = time.monotonic()
    for process in hall:
        signal_next(process)
    for process in hall:
        coming.seen += [Seen(*one) if isinstance(one, list) else one for one in json.loads(await next_line(process))]
    coming.there = time.monotonic()
    await asyncio.sleep(QUIET)
    watching.cancel()
    look("with all viewers")
    stop.set()
    coming.sent, coming.late = await sending
    coming.left = time.monotonic()
    for process in (first, *hall):
        signal_next(process)
        await process.wait()
    for seconds in (10.0, afterwards):
        await asyncio.sleep(coming.left + seconds - time.monotonic())
        look(f"{seconds:.0f} s after they left")
    return coming


def report(coming: Coming, segments: Sequence[Segment], viewers: int) -> str:
    """The results as a Markdown list."""
    seen = [one for one in coming.seen if isinstance(one, Seen)]
    failures = Counter(one for one in coming.seen if not isinstance(one, Seen))
    delays = {
        "before": added(segments, coming.sent, coming.began - QUIET + 1, coming.began),
        "while viewers joined": added(segments, coming.sent, coming.began, coming.there),
        "with all viewers": added(segments, coming.sent, coming.there, coming.left),
    }
    received = [one.received for one in seen]
    lines = [
        f"live: {len(seen)} of {viewers} viewers, the last {coming.there - coming.began:.2f} s after the first joined",
        f"a viewer's wait for its history, p50 / p99 / max: {spread([s.live - s.came for s in seen], 1, 's')}",
        f"a viewer's wait for its handshake: {spread([s.connected - s.came for s in seen], 1, 's')}",
        f"received by each: {min(received, default=0):,} to {max(received, default=0):,} bytes",
        f"captions, where counted: {sorted({one.captions for one in seen if one.captions is not None})}",
        *(f"added delay of publishers {when}, p50 / p99 / max: {spread(values)}" for when, values in delays.items()),
        f"delay of sent frames, p99 / max: {percentile(coming.late, 99) * 1000:.1f} / {max(coming.late) * 1000:.1f} ms",
        *(f"resident memory, {moment}: {memory:.0f} MB" for moment, memory in coming.memory.items()),
        *(f"failed: {count} x {why}" for why, count in failures.most_common(5)),
    ]
    return "\n".join(f"- {line}" for line in lines)


def main(  # noqa: PLR0917 - a command's parameters are its flags
    viewers: Annotated[int, typer.Option(min=1)] = 2000,
    finals: Annotated[int, typer.Option(min=0)] = 3000,
    history: Annotated[str, typer.Option(help="The viewers' parameter history: none, a number, or all.")] = "all",
    streams: Annotated[int, typer.Option(min=1, help="Number of publishers.")] = 5,
    processes: Annotated[int, typer.Option(min=1, help="Processes over which the viewers are spread.")] = 4,
    afterwards: Annotated[float, typer.Option(help="Seconds until the last sample of memory.")] = 120.0,
    vad: Annotated[DetectorName, typer.Option(help="The gateway's speech detector.")] = "webrtc",
) -> None:
    """Let many viewers join a room at once."""
    exit_on_signals()
    parts = voices(LONGEST, vad)
    allowed = psutil.Process().cpu_affinity()
    psutil.Process().cpu_affinity(allowed[1:] or allowed)
    with tempfile.TemporaryDirectory() as folder:
        port, out = free_port(), Path(folder) / "segments.json"
        command = [sys.executable, "-m", "bench.gateway.server", str(port), vad, str(out), str(finals)]
        with running(command) as process:
            psutil.Process(process.pid).cpu_affinity(allowed[:1])
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                coming = runner.run(
                    measure(
                        process, port, parts, streams=streams, viewers=viewers, history=history,
                        processes=processes, afterwards=afterwards,
                    )
                )  # fmt: skip
        segments = [Segment(*fields) for fields in json.loads(out.read_text())]
    print(report(coming, segments, viewers))


if __name__ == "__main__":
    typer.run(main)
