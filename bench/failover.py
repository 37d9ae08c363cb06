"""How long viewers wait when a process dies: seconds from the kill to the next caption, for each of eight tracks.

``python -m bench.failover [--runs N]`` starts a Kafka broker (or uses KAFKA_BOOTSTRAP), gateways, and workers with the
scripted engine, and prints the Markdown table in docs/kafka.md. Each track is one long utterance without pauses, and a
decode takes 4 ms per second of audio, so the wait is the time of the takeover.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from captions.quality import percentile
from tests.failover.rig import Rig, Seen, kill, rig_on, speaking, watching
from tests.kafka import Broker, answers
from tests.support import script_of

TRACKS = 8
WORDS = 40
_, PCM = script_of(1, words=WORDS)
SPOKEN = 4.0
"""Seconds of audio before the kill."""
GONE = 10.0

SCRIPT = {"utterances": 1, "words": WORDS, "decoding": 0.004}

Case = Callable[[Rig], Awaitable[tuple[Seen, float]]]


async def undisturbed(rig: Rig) -> tuple[Seen, float]:
    """No process is killed."""
    return await _when(rig, lambda _: time.monotonic())


async def worker_killed(rig: Rig) -> tuple[Seen, float]:
    """Kill -9 one of two workers."""
    return await _when(rig, lambda processes: kill(processes[0]))


async def worker_stopped(rig: Rig) -> tuple[Seen, float]:
    """Send SIGTERM to one of two workers, which leaves its group immediately."""

    def stop(processes: list[asyncio.subprocess.Process]) -> float:
        processes[0].send_signal(signal.SIGTERM)
        return time.monotonic()

    return await _when(rig, stop)


async def gateway_killed(rig: Rig) -> tuple[Seen, float]:
    """Kill -9 one of two gateways. Publishers and viewers continue at the other."""
    (first, here), (_, there) = await rig.gateway(), await rig.gateway()
    await rig.worker(**SCRIPT)
    async with watching(f"{here},{there}") as seen, speaking([here, there], PCM, TRACKS) as tasks:
        await asyncio.sleep(SPOKEN)
        at = kill(first)
        await asyncio.gather(*tasks)
    return seen, at


async def _when(rig: Rig, happens: Callable[[list[asyncio.subprocess.Process]], float]) -> tuple[Seen, float]:
    _, server = await rig.gateway()
    workers = [await rig.worker(**SCRIPT), await rig.worker(**SCRIPT)]
    async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
        await asyncio.sleep(SPOKEN)
        at = happens(workers)
        await asyncio.gather(*tasks)
    return seen, at


async def workers_gone(rig: Rig) -> tuple[Seen, float]:
    """Kill -9 every worker and start one 10 s later. The wait includes the start of the process and the join."""
    _, server = await rig.gateway(overload_after=60)
    workers = [await rig.worker(**SCRIPT), await rig.worker(**SCRIPT)]
    async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
        await asyncio.sleep(SPOKEN)
        for worker in workers:
            kill(worker)
        await asyncio.sleep(GONE)
        at = time.monotonic()
        await rig.worker(**SCRIPT)
        await asyncio.gather(*tasks)
    return seen, at


def broker_gone(broker: Broker) -> Case:
    """Stop the broker for 10 s. The wait starts when it listens again."""

    async def case(rig: Rig) -> tuple[Seen, float]:
        _, server = await rig.gateway(overload_after=60)
        await rig.worker(**SCRIPT)
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            await asyncio.sleep(SPOKEN)
            await asyncio.to_thread(broker.stop)
            await asyncio.sleep(GONE)
            await asyncio.to_thread(broker.start)
            at = time.monotonic()
            await asyncio.gather(*tasks)
        return seen, at

    return case


CASES: dict[str, Case] = {
    "nothing": undisturbed,
    "kill -9 of a worker": worker_killed,
    "SIGTERM to a worker": worker_stopped,
    "kill -9 of a gateway": gateway_killed,
    "all workers gone for 10 s, from the start of a new one": workers_gone,
}


async def measure(bootstrap: str, runs: int, cases: dict[str, Case]) -> None:
    """Print a row per case."""
    await answers(bootstrap)
    print("| what happens | p50 | p95 | worst | tracks |\n|---|---|---|---|---|")
    for name, case in cases.items():
        waits: list[float] = []
        for _ in range(runs):
            async with rig_on(bootstrap) as rig:
                seen, at = await case(rig)
            waits += seen.waits(at)
        p50, p95 = percentile(waits, 50), percentile(waits, 95)
        print(f"| {name} | {p50:.2f} s | {p95:.2f} s | {max(waits):.2f} s | {len(waits)} |", flush=True)


def main(runs: Annotated[int, typer.Option(help="Runs per case.")] = 3) -> None:
    """Measure how long viewers wait."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        asyncio.run(measure(given, runs, CASES))
        return
    broker = Broker()
    try:
        broker.start()
        gone = {"the broker gone for 10 s, from when it listens again": broker_gone(broker)}
        asyncio.run(measure(broker.bootstrap, runs, CASES | gone))
    finally:
        broker.remove()


if __name__ == "__main__":
    typer.run(main)
