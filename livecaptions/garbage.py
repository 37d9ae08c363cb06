"""The garbage collector and the allocator, set so that they neither stop an event loop nor keep what it freed."""

import asyncio
import ctypes
import gc
from collections.abc import Callable

THRESHOLDS = (5_000, 2, 300)
"""Objects more than before, and how often that, until a collection of each generation. Python's own (700, 10, 10) went
through everything that 2,000 viewers hold several times a minute, 0.3 s each time (docs/capacity.md). A collection of
the middle one goes through 15,000 objects at most: 100,000 of them, with a 10 for the 2, took 50 ms."""

RELEASE_INTERVAL = 60.0
"""Seconds."""

FEW_OBJECTS = 50_000
"""A full collection goes through so many in about 25 ms; with more it waits until a hall has left."""


def tune_garbage_collection() -> None:
    """Keep what a started server consists of out of every collection, and collect the rest more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


async def release_memory_periodically() -> None:
    """Every minute collect what old connections left, where that is quick, and give freed memory back to the system."""
    give_back = allocator()
    while True:
        await asyncio.sleep(RELEASE_INTERVAL)
        if len(gc.get_objects()) < FEW_OBJECTS:
            gc.collect()
        await asyncio.to_thread(give_back)


def allocator() -> Callable[[], object]:
    """How this C library gives back what was freed: glibc keeps it for itself after a peak, others need no asking."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim is not None else (lambda: None)
