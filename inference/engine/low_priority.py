"""Threads that compute only while nothing else wants the processor."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

_log = structlog.get_logger(__name__)

Made = TypeVar("Made")


def at_low_priority(make: Callable[[], Made]) -> Made:
    """Return what ``make`` returns. Threads that it starts run at the lowest priority, those of CTranslate2 too.

    A new thread on Linux inherits the priority of the one that starts it. Elsewhere nothing is different.
    """
    found: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        _lower()
        try:
            found.append(make())
        except BaseException as error:  # noqa: BLE001 - it is raised below, in the caller's thread
            failed.append(error)

    thread = threading.Thread(target=run, name="low priority")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


def _lower() -> None:
    if sys.platform != "linux":
        return
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError as error:
        _log.warning("priority_not_lowered", error=error.strerror)
