"""How many publishers one core of a gateway carries, with and without many viewers: bench/capacity.md.

``python -m bench.gateway [--streams 50,100,200] [--viewers 0,2000] [--seconds 20]`` starts a gateway on the first core
for each level, sends it 20 ms frames from the second core, and prints a Markdown table. *Added delay* is the time from
sending the frame that completes a segment until the segment is on the log.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psutil
import typer
import uvloop

from bench.capacity.usage import Usage
from bench.gateway.clients import Publisher, Viewer, connected
from bench.gateway.server import CAPTION_INTERVAL, HALL
from bench.gateway.speakers import Sent, added, send, spread
from bench.gateway.voices import Segment, Voice, voices
from captions.quality import percentile
from livecaptions.processes import exit_on_signals, free_port, ready, running
from streamer.vad import DetectorName

WARM_UP = 3.0
"""Seconds at the start that are not counted."""

MAX_LATE = 0.005
"""Seconds. If the p99 of the delay of sent frames is above it, the level is invalid."""


@dataclass
class Level:
    """The result of one level. Times are in seconds, memory in bytes."""

    streams: int
    viewers: int
    cores: float
    memory: float
    late: list[float]
    refused: int
    fanned_out: list[float]
    sent: Sent
    counted_from: float
    expected_captions: int

    def added(self, segments: list[Segment]) -> list[float]:
        """The added delay of each segment that was complete after the warm-up."""
        return added(segments, self.sent, self.counted_from)


async def measure(port: int, usage: Usage, streams: int, *, viewers: int, seconds: float, parts: list[Voice]) -> Level:
    """Measure one level with a new gateway."""
    await ready(f"http://127.0.0.1:{port}", [])
    audience = [Viewer(HALL) for _ in range(viewers)]
    await connected(audience, port)
    await asyncio.sleep(1)
    empty = usage.memory()
    publishers = [Publisher(f"room-{number}") for number in range(streams)]
    await connected(publishers, port)
    until = time.monotonic() + WARM_UP + seconds
    sending = asyncio.create_task(send(publishers, parts, lambda due: due < until))
    await asyncio.sleep(WARM_UP)
    counted_from, cpu = time.monotonic(), usage.cpu_seconds()
    for viewer in audience:
        viewer.counted = (counted_from, counted_from + seconds)
    sent, late = await sending
    cores = (usage.cpu_seconds() - cpu) / (time.monotonic() - counted_from)
    await asyncio.sleep(1)
    memory = (usage.memory() - empty) / max(streams, 1)
    return Level(
        streams, viewers, cores, memory, late, sum(p.refused is not None for p in publishers),
        [delay for viewer in audience for delay in viewer.delays],
        sent, counted_from, round(viewers * seconds / CAPTION_INTERVAL),
    )  # fmt: skip


def row(level: Level, segments: list[Segment]) -> str:
    """One row of the table."""
    late = percentile(level.late, 99) * 1000
    cells = (
        level.streams, level.viewers, f"{level.cores:.2f}", spread(level.added(segments)), level.refused,
        f"{level.memory / 2**20:.2f} MB", spread(level.fanned_out),
        f"{len(level.fanned_out)} of {level.expected_captions}" if level.viewers else "",
        f"{late:.1f} ms" + (" **invalid**" if late > MAX_LATE * 1000 else ""),
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


HEADER = (
    "| streams | viewers | cores | added delay, p50 / p99 / max | refused | memory a stream "
    "| caption's way to viewers, p50 / p99 / max | captions seen | sender late, p99 |\n" + "|---" * 9 + "|"
)


def main(
    streams: Annotated[str, typer.Option(help="Numbers of streams, separated by commas.")] = "50,100,200,300,400",
    viewers: Annotated[str, typer.Option(help="Numbers of viewers in one room, separated by commas.")] = "0",
    seconds: Annotated[float, typer.Option(min=1)] = 20.0,
    vad: Annotated[DetectorName, typer.Option(help="The gateway's speech detector.")] = "cascade",
) -> None:
    """Load a gateway with live streams and viewers."""
    exit_on_signals()
    parts = voices(WARM_UP + seconds, vad)
    allowed = psutil.Process().cpu_affinity()
    psutil.Process().cpu_affinity(allowed[1:2] or allowed)
    print(HEADER, flush=True)
    for watching in map(int, viewers.split(",")):
        for speaking in map(int, streams.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                port, out = free_port(), Path(folder) / "segments.json"
                with running([sys.executable, "-m", "bench.gateway.server", str(port), vad, str(out)]) as process:
                    psutil.Process(process.pid).cpu_affinity(allowed[:1])
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        level = runner.run(
                            measure(
                                port, Usage([process.pid]), speaking, viewers=watching, seconds=seconds, parts=parts
                            )
                        )
                segments = [Segment(*fields) for fields in json.loads(out.read_text())]
            print(row(level, segments), flush=True)


if __name__ == "__main__":
    typer.run(main)
