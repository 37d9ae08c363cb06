"""What operators do to pods while eight tracks are spoken into: viewers read what they would have read anyway.

Scripted speech (scripted.py): the pods are the product's, the engine costs nothing, so that two cores suffice.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

import pytest

from captions.audio import SAMPLE_RATE
from livecaptions_client import Caption, Done, Event, Restarted
from tests.failover.rig import Seen, assert_kept, speaking, watching
from tests.k8s_cluster import cluster
from tests.k8s_cluster.conftest import WAITS
from tests.support import script_of

pytestmark = pytest.mark.server

TRACKS = 8
UTTERANCES = 20
_, PCM = script_of(UTTERANCES)
SPOKEN = 6.0
"""Seconds of audio before anything happens."""

Happens = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def service() -> str:
    """The gateways' address, with scripted pods behind it."""
    cluster.load_scripted()
    return "http://" + cluster.apply(cluster.ROOT / "tests/k8s_cluster/overlay")


async def spoken_while(happens: Happens, service: str, room: str) -> tuple[Seen, list[list[Event]]]:
    """All tracks from beginning to end, and in their middle what happens; it has to be over before they are."""
    async with watching(service, room) as seen, speaking([service], PCM, TRACKS, room) as tasks:
        await asyncio.sleep(SPOKEN)
        began = time.monotonic()
        await happens()
        took = time.monotonic() - began
        assert not any(task.done() for task in tasks), "it took longer than the speech: nothing was disturbed"
        told = await asyncio.gather(*tasks)
    WAITS.append(
        f"{room}: took {took:.1f} s; next caption after {seen.waits(began)[-1]:.2f} s (worst track); "
        f"captions stood still for {max(standstills(seen)):.2f} s at most; "
        f"finals came up to {max(lateness(seen)):.2f} s later than their track's promptest"
    )
    return seen, told


def standstills(seen: Seen) -> list[float]:
    """Seconds between two captions of one utterance, whenever it was."""
    last: dict[tuple[str, int], float] = {}
    between = []
    for at, event in seen.events:
        if isinstance(event, Caption):
            key = (event.track, event.utterance)
            between += [at - last[key]] if key in last else []
            last[key] = at
    return between


def lateness(seen: Seen) -> list[float]:
    """Of each final, seconds that it came later after its utterance's end than the promptest one of its track."""
    after: dict[str, list[float]] = defaultdict(list)
    for at, event in seen.events:
        if isinstance(event, Caption) and event.final and event.text:
            after[event.track].append(at - event.end)
    return [wait - min(waits) for waits in after.values() for wait in waits]


def assert_all_was_acknowledged(told: list[list[Event]]) -> None:
    for events in told:
        assert not [event for event in events if isinstance(event, Restarted)]
        assert isinstance(events[-1], Done)
        assert events[-1].offset == len(PCM) * 2
        assert events[-1].seconds == pytest.approx(len(PCM) / SAMPLE_RATE, abs=0.01)


async def kubectl(*arguments: str) -> None:
    await asyncio.to_thread(cluster.kubectl, *arguments)


async def test_nothing(service: str) -> None:
    seen, told = await spoken_while(lambda: asyncio.sleep(0), service, "nothing")
    assert_kept(seen, TRACKS, UTTERANCES)
    assert_all_was_acknowledged(told)


async def test_a_worker_pod_is_deleted(service: str) -> None:
    async def delete() -> None:
        await kubectl("delete", "pod", cluster.pods("worker")[0]["metadata"]["name"])

    seen, told = await spoken_while(delete, service, "worker-pod-deleted")
    assert_kept(seen, TRACKS, UTTERANCES)
    assert_all_was_acknowledged(told)
    await asyncio.to_thread(cluster.rolled_out, "worker")


async def test_a_worker_pod_is_killed(service: str) -> None:
    async def kill() -> None:
        name = cluster.pods("worker")[0]["metadata"]["name"]
        await kubectl("delete", "pod", name, "--grace-period=0", "--force")

    seen, told = await spoken_while(kill, service, "worker-pod-killed")
    assert_kept(seen, TRACKS, UTTERANCES)
    assert_all_was_acknowledged(told)
    await asyncio.to_thread(cluster.rolled_out, "worker")


async def test_workers_are_rolled(service: str) -> None:
    before = {pod["metadata"]["uid"] for pod in cluster.pods("worker")}
    seen, told = await spoken_while(lambda: roll("worker"), service, "workers-rolled")
    assert not before & {pod["metadata"]["uid"] for pod in cluster.pods("worker")}
    assert_kept(seen, TRACKS, UTTERANCES)
    assert_all_was_acknowledged(told)


async def test_gateways_are_rolled(service: str) -> None:
    before = {pod["metadata"]["uid"] for pod in cluster.pods("gateway")}
    seen, told = await spoken_while(lambda: roll("gateway"), service, "gateways-rolled")
    assert not before & {pod["metadata"]["uid"] for pod in cluster.pods("gateway")}
    assert_kept(seen, TRACKS, UTTERANCES)
    assert_all_was_acknowledged(told)


async def test_a_drain_waits_for_the_budget(service: str) -> None:
    """On a single node the evicted worker's successor finds no place, so the second worker has to stay."""

    async def drain() -> None:
        selector = "--pod-selector=app.kubernetes.io/component=worker"
        command = ("drain", "node1", selector, "--delete-emptydir-data", "--timeout=20s")
        with pytest.raises(AssertionError, match="disruption budget"):
            await kubectl(*command)
        running = [pod for pod in cluster.pods("worker") if pod["status"]["phase"] == "Running"]
        assert len(running) == 1
        assert "deletionTimestamp" not in running[0]["metadata"]

    try:
        seen, told = await spoken_while(drain, service, "drain-held-back")
    finally:
        await kubectl("uncordon", "node1")
    assert_kept(seen, TRACKS, UTTERANCES)
    assert_all_was_acknowledged(told)
    await asyncio.to_thread(cluster.rolled_out, "worker")


async def roll(part: str) -> None:
    await kubectl("rollout", "restart", f"deployment/livecaptions-{part}")
    await asyncio.to_thread(cluster.rolled_out, part)
