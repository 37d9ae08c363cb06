"""One timer for times that are put off again and again, in virtual time."""

import asyncio

import pytest

from streamer.event_timer import EventTimer

pytestmark = pytest.mark.looptime


async def rings_at(event: asyncio.Event) -> float:
    event.clear()
    await event.wait()
    return asyncio.get_running_loop().time()


async def test_it_rings_in_time_and_again_when_asked_again() -> None:
    event = asyncio.Event()
    timer = EventTimer(event)
    timer.within(2)
    assert await rings_at(event) == pytest.approx(2)
    timer.within(3)
    assert await rings_at(event) == pytest.approx(5)


async def test_an_earlier_time_moves_it_and_a_later_one_does_not() -> None:
    event = asyncio.Event()
    timer = EventTimer(event)
    timer.within(10)
    timer.within(1)
    assert await rings_at(event) == pytest.approx(1)
    timer.within(2)
    timer.within(10)
    assert await rings_at(event) == pytest.approx(3)  # early: whoever looks asks again


async def test_it_does_not_ring_once_cancelled() -> None:
    event = asyncio.Event()
    timer = EventTimer(event)
    timer.within(1)
    timer.cancel()
    await asyncio.sleep(5)
    assert not event.is_set()
