"""A full hall: everybody is woken, and nobody else waits for all of it."""

import asyncio

from captions.ports.probe import Probe
from streamer.rooms.fan_out import AT_A_TIME, FanOut
from streamer.rooms.viewer import Viewer


def hall(seats: int) -> list[Viewer]:
    return [Viewer(backlog=10, probe=Probe()) for _ in range(seats)]


def woken(viewers: list[Viewer]) -> int:
    return sum(viewer.wake.is_set() for viewer in viewers)


async def test_a_full_hall_is_woken_a_few_at_a_time_in_order() -> None:
    viewers = hall(AT_A_TIME * 3 + 1)
    FanOut().wake(viewers)
    seen: list[int] = []
    while not seen or seen[-1] < len(viewers):
        seen.append(woken(viewers))
        assert woken(viewers[: seen[-1]]) == seen[-1]
        await asyncio.sleep(0)
    assert seen[:4] == [AT_A_TIME, AT_A_TIME * 2, AT_A_TIME * 3, len(viewers)]


async def test_a_second_hall_waits_for_the_first_and_is_woken_too() -> None:
    fan_out, first, second = FanOut(), hall(AT_A_TIME * 2), hall(AT_A_TIME)
    fan_out.wake(first)
    fan_out.wake(second)
    assert (woken(first), woken(second)) == (AT_A_TIME, 0)
    async with asyncio.timeout(30):
        await asyncio.gather(*(viewer.wake.wait() for viewer in (*first, *second)))
    fan_out.wake(late := hall(1))
    assert woken(late) == 1
