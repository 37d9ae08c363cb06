"""Throughput and latency of the log in memory and on Kafka: records per second, and time from append to reader.

``python -m bench.throughput`` starts a Kafka broker and prints the Markdown table in docs/kafka.md. Records are
segments of the bundled talk, 0.2 s of PCM16 each.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from captions.ports.log import Log, Record
from captions.quality import percentile
from livecaptions import talk
from livecaptions.clock import SystemClock
from livecaptions.terminal.files import read_file, reframed
from tests.kafka import Broker, answers
from transport.kafka import KafkaSettings, TopicPlan, create_topics, kafka_log
from transport.kafka.settings import Compression
from transport.memory import MemoryLog, TopicSettings

SEGMENT_BYTES = 6400
PARTITIONS = 8
TRACKS = 40
RATE = 200
"""Records per second during the measurement of latency: those of 40 tracks with speech."""
PLAN = TopicPlan(name="audio", partitions=PARTITIONS, replication=1, retention_seconds=600)
COMPRESSIONS: tuple[Compression, ...] = ("none", "lz4", "zstd")


@dataclass(frozen=True)
class Measured:
    """The result of one log: most records per second, latencies at ``RATE`` in ms, and stored bytes per sent byte."""

    name: str
    rate: float
    appended: list[float]
    read: list[float]
    kept: float | None


def segments() -> Iterator[bytes]:
    """The segments of the talk, repeated without end."""
    return itertools.cycle(list(reframed(read_file(talk.talk_path()), SEGMENT_BYTES)))


async def flood(log: Log, seconds: float) -> float:
    """Records per second with one writer per track, each of which waits for its append."""
    audio, count = segments(), 0
    until = time.monotonic() + seconds

    async def write(track: int) -> None:
        nonlocal count
        while time.monotonic() < until:
            await log.append(PLAN.name, Record(f"hall/t{track}", next(audio)))
            count += 1

    began = time.monotonic()
    await asyncio.gather(*(write(track) for track in range(TRACKS)))
    return count / (time.monotonic() - began)


async def pace(log: Log, seconds: float) -> tuple[list[float], list[float]]:
    """Latencies in ms from append to acknowledgement and from append to reader, at a constant rate."""
    audio = segments()
    appended: list[float] = []
    read: list[float] = []

    async def follow(partition: int, start: int) -> None:
        async for entry in log.read(PLAN.name, partition, start):
            waited = time.monotonic() - float(entry.record.headers["at"])
            read.append(waited * 1000)

    async def write(track: int) -> None:
        at = time.monotonic()
        await log.append(PLAN.name, Record(f"hall/t{track}", next(audio), {"at": str(at).encode()}))
        appended.append((time.monotonic() - at) * 1000)

    ends = [(await log.bounds(PLAN.name, partition)).end for partition in range(PARTITIONS)]
    readers = [asyncio.create_task(follow(partition, end)) for partition, end in enumerate(ends)]
    await asyncio.sleep(1)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(round(seconds * RATE)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            group.create_task(write(number % TRACKS))
    await asyncio.sleep(0.5)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return appended, read


@asynccontextmanager
async def logs(broker: Broker) -> AsyncIterator[list[tuple[str, Log, Path | None]]]:
    """Open all logs. Yields name, log, and the folder with its data (None in memory)."""
    settings = KafkaSettings(bootstrap=(broker.bootstrap,))
    memory = MemoryLog({PLAN.name: TopicSettings(partitions=PARTITIONS)}, SystemClock())
    found: list[tuple[str, Log, Path | None]] = [("memory", memory, None)]
    async with AsyncExitStack() as stack:
        for compression in COMPRESSIONS:
            of = replace(settings, prefix=f"{compression}-", compression=compression)
            await create_topics(of, (PLAN,))
            log = await stack.enter_async_context(kafka_log(of, (PLAN,)))
            found.append((f"Kafka, {compression}", log, broker.data / "log"))
        yield found


def kept_bytes(folder: Path, prefix: str) -> int:
    """The bytes that the broker stored for the topics with a prefix."""
    return sum(path.stat().st_size for path in folder.glob(f"{prefix}*/*.log"))


async def measure(broker: Broker, seconds: float) -> list[Measured]:
    """Measure all logs, one after the other."""
    await answers(broker.bootstrap)
    found = []
    async with logs(broker) as every:
        for name, log, folder in every:
            appended, read = await pace(log, seconds)
            sent = len(appended) * SEGMENT_BYTES
            prefix = name.rpartition(" ")[2] + "-"
            kept = kept_bytes(folder, prefix) / sent if folder else None
            found.append(Measured(name, await flood(log, seconds), appended, read, kept))
    return found


def table(measured: list[Measured]) -> str:
    """The results as a Markdown table."""

    def both(values: list[float]) -> str:
        return f"{percentile(values, 50):.1f} / {percentile(values, 99):.1f} ms"

    lines = [
        "| log | records/s at most | append, p50 / p99 | append to reader, p50 / p99 | bytes kept for each sent |",
        "|---|---|---|---|---|",
    ]
    for m in measured:
        kept = "" if m.kept is None else f"{m.kept:.2f}"
        lines.append(f"| {m.name} | {m.rate:.0f} | {both(m.appended)} | {both(m.read)} | {kept} |")
    return "\n".join(lines)


def main(seconds: Annotated[float, typer.Option(help="Seconds per measurement.")] = 10.0) -> None:
    """Measure the logs."""
    broker = Broker()
    try:
        broker.start()
        print(table(asyncio.run(measure(broker, seconds))))
    finally:
        broker.remove()


if __name__ == "__main__":
    typer.run(main)
