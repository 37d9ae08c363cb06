"""Callbacks in batches: all of them run, and no iteration of the event loop runs too many."""

import asyncio
from functools import partial

import pytest

from streamer.batched_callbacks import BatchedCallbacks


async def test_work_is_done_a_few_at_a_time_in_order() -> None:
    done: list[int] = []
    BatchedCallbacks(16).add([partial(done.append, number) for number in range(49)])
    counts: list[int] = []
    while len(done) < 49:
        counts.append(len(done))
        await asyncio.sleep(0)
    assert counts == [16, 32, 48]
    assert done == [*range(49)]


async def test_who_come_one_by_one_in_an_iteration_count_together() -> None:
    callbacks = BatchedCallbacks(2)
    done: list[int] = []
    for number in range(5):
        callbacks.add([partial(done.append, number)])
    assert done == [0, 1]
    await asyncio.sleep(0)
    assert done == [0, 1, 2, 3]
    callbacks.add([partial(done.append, 5)])
    assert done == [0, 1, 2, 3]
    for _ in range(3):
        await asyncio.sleep(0)
    assert done == [*range(6)]
    callbacks.add([partial(done.append, 6)])
    assert done[-1] == 6, "who comes alone does not wait"


async def test_what_fails_stops_nothing_else() -> None:
    callbacks = BatchedCallbacks(1)
    done: list[object] = []

    def fail() -> None:
        raise ZeroDivisionError

    asyncio.get_running_loop().set_exception_handler(lambda _, context: done.append(type(context["exception"])))
    with pytest.raises(ZeroDivisionError):
        callbacks.add([fail, fail, lambda: done.append("after")])
    for _ in range(4):
        await asyncio.sleep(0)
    assert done == [ZeroDivisionError, "after"]
