"""A broker that goes and comes back, and a bad connection to it: what is waited for comes, once and in order."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from livecaptions.processes import free_ports
from livecaptions_client import Restarted
from tests.failover.proxy import proxied
from tests.failover.rig import assert_kept, rig_on, speaking, watching
from tests.kafka import Broker, answers
from tests.support import script_of

pytestmark = pytest.mark.kafka

TRACKS = 4
UTTERANCES = 3
_, PCM = script_of(UTTERANCES)


@pytest.fixture
def ports() -> tuple[int, int, int]:
    """The broker's; those of its second listener: where it is, and where it says that it is."""
    direct, behind, front = free_ports(3)
    return direct, behind, front


@pytest.fixture
async def broker(ports: tuple[int, int, int]) -> AsyncIterator[Broker]:
    """A broker of the test's own."""
    direct, behind, front = ports
    listeners = f"PLAINTEXT://127.0.0.1:{direct},PROXIED://127.0.0.1:"
    broker = Broker({"KAFKA_LISTENERS": f"{listeners}{behind}", "KAFKA_ADVERTISED": f"{listeners}{front}"}, port=direct)
    try:
        await asyncio.to_thread(broker.start)
        await answers(broker.bootstrap)
        yield broker
    finally:
        broker.remove()


async def test_a_broker_stopped_for_ten_seconds(broker: Broker) -> None:
    async with rig_on(broker.bootstrap) as rig:
        (_, server), _ = await asyncio.gather(rig.gateway(overload_after=60), rig.worker())
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            await asyncio.sleep(2.0)
            await asyncio.to_thread(broker.stop)
            await asyncio.sleep(10)
            await asyncio.to_thread(broker.start)
            told = await asyncio.gather(*tasks)
    assert_kept(seen, TRACKS, UTTERANCES)
    assert not [event for events in told for event in events if isinstance(event, Restarted)]


@pytest.mark.usefixtures("broker")
async def test_a_slow_stalling_and_resetting_connection(ports: tuple[int, int, int]) -> None:
    _, behind, front = ports
    async with proxied(front, behind) as proxy, rig_on(f"127.0.0.1:{front}") as rig:
        (_, server), _ = await asyncio.gather(rig.gateway(overload_after=60), rig.worker())
        async with watching(server) as seen, speaking([server], PCM, TRACKS) as tasks:
            proxy.delay = 0.02
            await asyncio.sleep(2.0)
            proxy.open.clear()
            await asyncio.sleep(1.0)
            proxy.open.set()
            for _ in range(4):
                await asyncio.sleep(1.0)
                proxy.reset()
            await asyncio.gather(*tasks)
    assert_kept(seen, TRACKS, UTTERANCES)
