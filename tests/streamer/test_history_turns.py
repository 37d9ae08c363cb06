"""Turns at receiving a room's history, in virtual time."""

import asyncio

import pytest

from streamer.rooms.history_turns import HistoryTurns

pytestmark = pytest.mark.looptime


async def test_so_many_at_a_time_in_the_order_they_came() -> None:
    turns = HistoryTurns(concurrent=2, longest=100)
    now: set[int] = set()
    most: list[int] = []
    order: list[int] = []

    async def come(number: int) -> None:
        async with turns.turn():
            order.append(number)
            now.add(number)
            most.append(len(now))
            await asyncio.sleep(1)
            now.discard(number)

    await asyncio.gather(*(come(number) for number in range(7)))
    assert order == [*range(7)]
    assert max(most) == 2
    assert asyncio.get_running_loop().time() == pytest.approx(4, abs=0.1)


async def test_who_takes_long_keeps_nobody_waiting_and_frees_one_turn_only() -> None:
    turns = HistoryTurns(concurrent=1, longest=0.5)
    began: list[float] = []

    async def come(takes: float) -> None:
        async with turns.turn():
            began.append(asyncio.get_running_loop().time())
            await asyncio.sleep(takes)

    await asyncio.gather(*(come(10) for _ in range(3)), come(0.25), come(0.25))
    assert began == pytest.approx([0, 0.5, 1.0, 1.5, 1.75], abs=0.05)
    await asyncio.gather(come(0.25), come(0.25))
    assert began[-1] - began[-2] == pytest.approx(0.25, abs=0.05)


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    turns = HistoryTurns(concurrent=1, longest=100)
    async with turns.turn():
        waiting = asyncio.create_task(turns.turn().__aenter__())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), turns.turn():
        pass
