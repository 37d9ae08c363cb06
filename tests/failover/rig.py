"""Gateways and workers in processes of their own, publishers and viewers that resume, and what they were told."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from captions.audio import SAMPLE_RATE, Pcm, to_bytes
from captions.ports.log import Entry
from captions.records import DEAD_LETTERS
from livecaptions.logs import kafka_settings, topic_plans
from livecaptions.processes import free_ports
from livecaptions_client import Caption, Event, Live, publish, view
from tests.failover.role import Role
from tests.support import script_of
from transport.kafka import create_topics, kafka_log

ROOM = "hall"
NUMBERS = itertools.count()
FRAME = 3200
"""Bytes of 0.1 s."""


@dataclass
class Rig:
    """One installation on a broker: what is started goes when the rig does."""

    bootstrap: str
    prefix: str = field(default_factory=lambda: f"rig-{os.getpid()}-{next(NUMBERS)}-")
    processes: list[Process] = field(default_factory=list)

    async def gateway(self, **role: Any) -> tuple[Process, str]:  # noqa: ANN401 - the role's own fields
        """A gateway, and its address."""
        (port,) = free_ports(1)
        return await self._start(Role(kind="gateway", port=port, **self._common(role))), f"http://127.0.0.1:{port}"

    async def worker(self, **role: Any) -> Process:  # noqa: ANN401 - the role's own fields
        """A worker."""
        return await self._start(Role(kind="worker", **self._common(role)))

    async def dead_letters(self) -> list[Entry]:
        """What was put aside."""
        settings = Role(kind="", **self._common({})).settings
        async with kafka_log(kafka_settings(settings), topic_plans(settings)) as log:
            bounds = await log.bounds(DEAD_LETTERS, 0)
            reading = log.read(DEAD_LETTERS, 0, bounds.earliest)
            return [await anext(reading) for _ in range(bounds.end - bounds.earliest)]

    def _common(self, role: dict[str, Any]) -> dict[str, Any]:
        return {"bootstrap": self.bootstrap, "prefix": self.prefix, **role}

    async def _start(self, role: Role) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.failover.role", role.encode(), stdout=PIPE
        )
        self.processes.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert (await process.stdout.readline()) == b"ready\n"
        return process


@asynccontextmanager
async def rig_on(bootstrap: str) -> AsyncIterator[Rig]:
    """A rig with topics of its own."""
    rig = Rig(bootstrap)
    settings = Role(kind="", bootstrap=bootstrap, prefix=rig.prefix).settings
    await create_topics(kafka_settings(settings), topic_plans(settings))
    try:
        yield rig
    finally:
        for process in rig.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


def kill(process: Process) -> float:
    """Kill -9; when it was."""
    process.send_signal(signal.SIGKILL)
    return time.monotonic()


async def stop(*processes: Process) -> None:
    """Ask them to stop, all at once; every one ends well."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [await process.wait() for process in processes] == [0] * len(processes)


@dataclass
class Seen:
    """What one viewer was told, with when, in the order it was."""

    events: list[tuple[float, Event]] = field(default_factory=list)
    live: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def captions(self) -> list[Caption]:
        return [event for _, event in self.events if isinstance(event, Caption)]

    @property
    def finals(self) -> dict[tuple[str, int], list[str]]:
        """The texts of every utterance's finals, as often as they were told."""
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for event in self.captions:
            if event.final:
                found[event.track, event.utterance].append(event.text)
        return found

    def waits(self, since: float) -> list[float]:
        """Seconds from ``since`` to the next caption, of each track that got one."""
        first: dict[str, float] = {}
        for at, event in self.events:
            if isinstance(event, Caption) and at > since:
                first.setdefault(event.track, at - since)
        return sorted(first.values())


@asynccontextmanager
async def watching(servers: str, room: str = ROOM) -> AsyncIterator[Seen]:
    """A viewer of the room that goes on at another server where one is lost."""
    seen = Seen()

    async def watch() -> None:
        async for event in view(servers, room):
            seen.events.append((time.monotonic(), event))
            if isinstance(event, Live):
                seen.live.set()

    task = asyncio.create_task(watch())
    try:
        await seen.live.wait()
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Breath:
    """Speakers stop after ``seconds`` of audio until ``over`` is set, so that a test need not race them."""

    seconds: float
    over: asyncio.Event = field(default_factory=asyncio.Event)


async def speak(servers: str, track: str, pcm: Pcm, room: str = ROOM, breath: Breath | None = None) -> list[Event]:
    """Publish in real time, to the last caption; everything the publisher was told."""

    async def frames() -> AsyncIterator[bytes]:
        audio, began = to_bytes(pcm), time.monotonic()
        for at in range(0, len(audio), FRAME):
            if breath is not None and not breath.over.is_set() and at / 2 / SAMPLE_RATE >= breath.seconds:
                await breath.over.wait()
                began = time.monotonic() - at / 2 / SAMPLE_RATE
            await asyncio.sleep(max(0.0, began + at / 2 / SAMPLE_RATE - time.monotonic()))
            yield audio[at : at + FRAME]

    async with publish(servers, room, track=track, language="en") as publication:
        publication.feed(frames())
        return [event async for event in publication]


@asynccontextmanager
async def speaking(
    servers: Sequence[str], pcm: Pcm, tracks: int, room: str = ROOM, breath: Breath | None = None
) -> AsyncIterator[list["asyncio.Task[list[Event]]"]]:
    """So many tracks at once, each beginning at another of the servers."""
    tasks = []
    for number in range(tracks):
        turned = [*servers[number % len(servers) :], *servers[: number % len(servers)]]
        tasks.append(asyncio.create_task(speak(",".join(turned), f"t{number}", pcm, room, breath)))
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.gather(*tasks, return_exceptions=True)


def expected_texts(utterances: int, words: int = 8) -> list[str]:
    """The text of each utterance of the script."""
    script, _ = script_of(utterances, words=words)
    return [" ".join(word.text for word in script[at : at + words]) for at in range(0, len(script), words)]


def assert_kept(seen: Seen, tracks: int, utterances: int, words: int = 8) -> None:
    """Guarantees 1 to 3, as a viewer sees them: as if nothing had happened."""
    expected = {
        (f"t{track}", number): [text]
        for track in range(tracks)
        for number, text in enumerate(expected_texts(utterances, words))
    }
    finals = seen.finals
    differ = {key: finals.get(key) for key in expected.keys() | finals.keys() if finals.get(key) != expected.get(key)}
    assert not differ, f"finals that an undisturbed run has not: {differ}"
    last: dict[tuple[str, int], Caption] = {}
    for event in seen.captions:
        before = last.get((event.track, event.utterance))
        if before is not None:
            assert not before.final, "a caption came after its final"
            assert event.revision >= before.revision, "a caption went back"
            if event.revision == before.revision:
                assert event.text == before.text, "told again after a reconnect, but not the same"
            if not event.final:
                standing = before.text.split()[: before.stable]
                assert event.text.split()[: before.stable] == standing, "a stable word changed"
        last[event.track, event.utterance] = event
