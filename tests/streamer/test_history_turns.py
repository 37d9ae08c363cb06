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
        with turns.turn() as turn:
            await turn.begin()
            order.append(number)
            now.add(number)
            most.append(len(now))
            await asyncio.sleep(1)
            now.discard(number)

    await asyncio.gather(*(come(number) for number in range(7)))
    assert order == [*range(7)]
    assert max(most) == 2
    assert asyncio.get_running_loop().time() == pytest.approx(4, abs=0.1)


async def test_who_takes_long_goes_to_the_end_of_the_queue() -> None:
    turns = HistoryTurns(concurrent=1, longest=0.5)
    order: list[str] = []

    async def come(name: str, blocks: int) -> None:
        with turns.turn() as turn:
            for _ in range(blocks):
                await turn.begin()
                order.append(name)
                await asyncio.sleep(0.3)

    await asyncio.gather(come("long", 5), come("short", 1), come("too", 2))
    assert order == ["long", "long", "short", "too", "too", "long", "long", "long"]


async def test_who_waits_for_its_peer_keeps_nobody_waiting_and_frees_one_turn_only() -> None:
    turns = HistoryTurns(concurrent=1, longest=100)
    began: list[float] = []

    async def come(waits: float, sends: float) -> None:
        with turns.turn() as turn:
            await turn.begin()
            with turn.unless_waiting():
                if waits:
                    await asyncio.sleep(waits)
            await turn.begin()
            began.append(asyncio.get_running_loop().time())
            await asyncio.sleep(sends)

    await asyncio.gather(*(come(1000, 0) for _ in range(3)), come(0, 1), come(0, 1), come(0, 1))
    assert began == pytest.approx([0, 1, 2, 1000, 1000, 1000], abs=0.05)
    began.clear()
    await asyncio.gather(come(0, 1), come(0, 1))
    assert began[1] - began[0] == pytest.approx(1, abs=0.05)


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    turns = HistoryTurns(concurrent=1, longest=100)
    with turns.turn() as held, turns.turn() as other:
        await held.begin()
        waiting = asyncio.create_task(other.begin())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    with turns.turn() as turn:
        async with asyncio.timeout(1):
            await turn.begin()
