"""Eight honest streams beside each attack: ``python -m bench.attacks [--only NAME,NAME]`` (docs/attacks.md).

The server runs with the scripted engine on the first core. The honest clients and, with a lower priority, the attacker
share the second one.
"""

import asyncio
import json
import os
import re
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import typer
import uvloop

from bench import scripted
from bench.attacks.attacker import ATTACKS
from bench.capacity.level import Level, Sender, Used, summed_up
from bench.capacity.pacing import Pace
from bench.capacity.recordings import Loop
from bench.capacity.run import SPREAD, speak
from bench.capacity.systems import Livecaptions, Running
from bench.capacity.usage import Usage
from captions.quality import percentile
from livecaptions.processes import exit_on_signals, free_port, ready, running
from monitoring.goals import FINAL, WORD_SHOWN

STREAMS = 8
SECONDS = 13.0
"""The length of a stream's audio."""

BASELINE = "none"
CLOSED = re.compile(r'^livecaptions_connections_closed_total\{reason="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass
class Row:
    """What came of one attack. ``closed`` counts by reason the connections that the server's limits closed."""

    name: str
    level: Level
    memory: int
    cores: float
    attacker: dict[str, Any] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)

    @property
    def broken(self) -> list[str]:
        """The goals that honest streams missed."""
        level = self.level
        missed = [f"word p95 over {WORD_SHOWN.good} s"] if level.word_shown.p95 > WORD_SHOWN.good else []
        missed += [f"final p95 over {FINAL.good} s"] if level.final.p95 > FINAL.good else []
        missed += ["wrong words"] if level.word_error_rate else []
        missed += [f"{len(level.failures)} failed: {level.failures[0]}"] if level.failures else []
        return missed


async def attacked(server: Running, name: str, seconds: float) -> Row:
    """Eight streams in rooms of their own, while the attack runs."""
    usage, system = Usage(server.pids), Livecaptions()
    run = f"{name.replace(' ', '-')}-{time.time_ns():x}"
    parts = Loop([scripted.recording()]).parts(STREAMS, seconds)
    paces = [Pace(part.audio, system.frame) for part in parts]
    before, closed = usage.memory(), await _closed(server.url)
    longest = SPREAD + max(part.seconds for part in parts)
    attacker = None if name == BASELINE else await _attacker(name, server.url, f"{run}-0", longest)
    async with usage.watched():
        spent, own, began = usage.cpu_seconds(), time.process_time(), time.monotonic()
        results = await asyncio.gather(
            *(
                speak(system, server, f"{run}-{number}", part, pace, wait=SPREAD * number / STREAMS)
                for number, (part, pace) in enumerate(zip(parts, paces, strict=True))
            )
        )
        spent, own, took = usage.cpu_seconds() - spent, time.process_time() - own, time.monotonic() - began
    late = percentile([late for pace in paces for late in pace.late], 99)
    level = summed_up(name, results, Used(spent, usage.peak_memory), Sender(own / took, late), took)
    row = Row(name, level, usage.peak_memory - before, spent / took)
    if attacker is not None:
        try:
            told, _ = await asyncio.wait_for(attacker.communicate(), 30)
        except TimeoutError:
            attacker.kill()
            raise
        row.attacker = json.loads(told)
    row.closed = {reason: count - closed.get(reason, 0) for reason, count in (await _closed(server.url)).items()}
    return row


async def _attacker(name: str, url: str, room: str, seconds: float) -> asyncio.subprocess.Process:
    port = url.rpartition(":")[2]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.attacks.attacker", name, port, room, f"{seconds:.1f}",
        stdout=PIPE, preexec_fn=lambda: os.nice(10),
    )  # fmt: skip


async def _closed(url: str) -> dict[str, int]:
    """The connections that the server's limits have closed so far, by reason."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{url}/metrics", timeout=30)).text
    return {reason: int(float(count)) for reason, count in CLOSED.findall(text)}


HEADER = (
    "| attack | connections | what the server did | word shown p50 / p95 | final p50 / p95 | goals "
    "| memory | cores | sender late, p99 |\n" + "|---" * 9 + "|"
)


def line(row: Row) -> str:
    """One row of the table."""
    level, told = row.level, row.attacker
    did = [f"{count} {reason}" for reason, count in sorted(row.closed.items()) if count]
    said = [f"{count} got {end}" for end, count in sorted(told.get("ends", {}).items())]
    said += [f"{told['refused']} not accepted"] if told.get("refused") else []
    description = (ATTACKS[row.name].__doc__ or "").strip() if row.name in ATTACKS else "The baseline."
    cells = (
        f"**{row.name}**: {description}", told.get("opened", ""), "; ".join([*did, *said]),
        f"{level.word_shown.p50:.2f} / {level.word_shown.p95:.2f}", f"{level.final.p50:.2f} / {level.final.p95:.2f}",
        "; ".join(row.broken) or "held", f"{row.memory / 2**20:+.0f} MB", f"{row.cores:.2f}",
        f"{level.sender.late * 1000:.0f} ms",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


async def measure(server: Running, names: Sequence[str], seconds: float) -> None:
    """Print the table, row by row."""
    print(HEADER, flush=True)
    await attacked(server, BASELINE, 3.0)
    for name in (BASELINE, *names):
        print(line(await attacked(server, name, seconds)), flush=True)


def main(only: str = "", seconds: float = SECONDS) -> None:
    """Attack a server, and measure what eight honest streams notice."""
    exit_on_signals()
    names = [name for name in only.split(",") if name] or list(ATTACKS)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    allowed = psutil.Process().cpu_affinity()
    psutil.Process().cpu_affinity(allowed[1:2] or allowed)
    with running([sys.executable, "-m", "bench.scripted", str(port)]) as process:
        psutil.Process(process.pid).cpu_affinity(allowed[:1])
        asyncio.run(ready(url, [process]))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measure(Running(url, [process.pid]), names, seconds))


if __name__ == "__main__":
    typer.run(main)
