"""Tuning of garbage collection and the allocator: short pauses of the event loop, and freed memory is returned."""

import asyncio
import ctypes
import gc
from collections.abc import Callable

THRESHOLDS = (5_000, 2, 300)
"""Thresholds of the three generations, as for ``gc.set_threshold``. With Python's defaults (700, 10, 10) and 2,000
viewers, full collections ran several times a minute and took 0.3 s each (bench/capacity.md). A collection of the middle
generation now visits at most 15,000 objects. With 10 instead of 2 it visited 100,000 and took 50 ms."""

RELEASE_INTERVAL = 60.0
"""Seconds between two releases of memory."""

FEW_OBJECTS = 50_000
"""A full collection of this many objects takes about 25 ms. With more objects it is postponed until viewers leave."""


def tune_garbage_collection() -> None:
    """Exclude the objects of the started server from garbage collection, and collect the others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


async def release_memory_periodically() -> None:
    """Every minute, run a full collection if it is quick, and return freed memory to the system."""
    release = allocator()
    while True:
        await asyncio.sleep(RELEASE_INTERVAL)
        if len(gc.get_objects()) < FEW_OBJECTS:
            gc.collect()
        await asyncio.to_thread(release)


def allocator() -> Callable[[], object]:
    """A function that returns freed memory to the system. Only glibc needs it, because it keeps memory after a peak."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim is not None else (lambda: None)
