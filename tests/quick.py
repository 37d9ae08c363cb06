"""The quick tests: they need this process alone, and `make check` runs them.

A test is quick unless a marker says what it needs. One that forgets its marker fails where it reaches out.
"""

import sys
from collections.abc import Collection

import pytest

NEEDS = ("server", "weights")
"""Markers of what is always there, but takes its time."""
WEIGHTS = frozenset({"tiny", "base"})
"""Fixtures that load them."""

_running: list[pytest.Item] = []


def mark(items: Collection[pytest.Item], needs: Collection[str]) -> None:
    """Mark the tests that need none of ``needs``, nor anything of ``NEEDS``."""
    for item in items:
        if WEIGHTS & set(getattr(item, "fixturenames", ())):
            item.add_marker("weights")
        if not any(item.get_closest_marker(marker) for marker in (*NEEDS, *needs)):
            item.add_marker("quick")


def begin(item: pytest.Item) -> None:
    """From now on this is the test that runs."""
    _running[:] = [item] if item.get_closest_marker("quick") else []


def watch() -> None:
    """Fail quick tests where they start a program, or a socket other than one within the process."""
    sys.addaudithook(_fail_if_outside)


def _fail_if_outside(event: str, arguments: tuple[object, ...]) -> None:
    if not _running:
        return
    outside = event in {"socket.bind", "socket.connect"} and isinstance(arguments[1], tuple)
    if outside or event in {"subprocess.Popen", "os.posix_spawn"}:
        raise AssertionError(f"{_running[0].nodeid} is no quick test ({event}): mark it `server`")
