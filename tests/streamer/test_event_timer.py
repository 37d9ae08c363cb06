"""One timer for deadlines that are postponed again and again, in virtual time."""

import asyncio

import pytest

from streamer.event_timer import EventTimer

pytestmark = pytest.mark.looptime


async def fires_at(event: asyncio.Event) -> float:
    event.clear()
    await event.wait()
    return asyncio.get_running_loop().time()


async def test_it_fires_in_time_and_again_when_asked_again() -> None:
    event = asyncio.Event()
    timer = EventTimer(event)
    timer.fire_within(2)
    assert await fires_at(event) == pytest.approx(2)
    timer.fire_within(3)
    assert await fires_at(event) == pytest.approx(5)


async def test_an_earlier_time_moves_it_and_a_later_one_does_not() -> None:
    event = asyncio.Event()
    timer = EventTimer(event)
    timer.fire_within(10)
    timer.fire_within(1)
    assert await fires_at(event) == pytest.approx(1)
    timer.fire_within(2)
    timer.fire_within(10)
    assert await fires_at(event) == pytest.approx(3)  # early: the caller asks again


async def test_it_does_not_fire_once_cancelled() -> None:
    event = asyncio.Event()
    timer = EventTimer(event)
    timer.fire_within(1)
    timer.cancel()
    await asyncio.sleep(5)
    assert not event.is_set()
