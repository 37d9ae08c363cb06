"""Threads that leave the processor to all others."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

_log = structlog.get_logger(__name__)

_LOWEST = 19  # as for `nice`: a hundredth of what an ordinary thread gets where both want the processor
_THREADS = Path("/proc/self/task")

Made = TypeVar("Made")


def at_low_priority(make: Callable[[], Made]) -> Made:
    """Return what ``make`` returns. The threads that it leaves behind get the lowest priority, on Linux.

    CTranslate2 decodes in threads of its own, so Python's thread, which may hold the interpreter's lock, keeps its
    priority, and nobody waits for a thread that does not get the processor. Nothing else may start threads meanwhile.
    """
    before = _threads()
    made = make()
    for thread in _threads() - before:
        try:
            os.setpriority(os.PRIO_PROCESS, thread, _LOWEST)
        except OSError as error:
            _log.warning("priority_not_lowered", error=error.strerror)
    return made


def _threads() -> set[int]:
    return {int(task.name) for task in _THREADS.iterdir()} if sys.platform == "linux" else set()
