"""Engines that leave the processor to all others."""

import os
import sys
import threading

import pytest

from inference.engine.low_priority import at_low_priority


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no priorities of threads")
def test_what_is_made_has_threads_of_low_priority_and_nothing_else_has() -> None:
    stop = threading.Event()

    def make() -> threading.Thread:
        thread = threading.Thread(target=stop.wait)
        thread.start()
        return thread

    ordinary, low = make(), at_low_priority(make)
    try:
        priorities = [os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in (ordinary, low)]
        mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    finally:
        stop.set()
        ordinary.join()
        low.join()
    assert priorities == [mine, 19]
