"""What the whole suite shares: which tests this machine can run."""

import asyncio
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import kafka, quick
from tests.fuzz import effort
from tests.image import container
from tools.k8s import toolbox

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Recordings beside the project's root, never part of it."""

CI = os.environ.get("CI") == "true"


def pytest_configure() -> None:
    quick.watch()
    effort.register()


def pytest_runtest_setup(item: pytest.Item) -> None:
    quick.begin(item)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {
        "speech": None if (SHARED / "speech").is_dir() else f"the recordings of {SHARED}/speech are not there",
        "browser": None if shutil.which("chromium") else "no Chromium: apt-get install chromium",
        "k8s": toolbox.missing(),
        "kafka": kafka.missing(),
        "prometheus": None if shutil.which("prometheus") else "no Prometheus: apt-get install prometheus",
        "alertmanager": (
            None
            if shutil.which("prometheus-alertmanager")
            else "no Alertmanager: apt-get install prometheus-alertmanager"
        ),
        "espeak": None if shutil.which("espeak-ng") else "no synthetic voices: apt-get install espeak-ng",
        "image": container.missing(),
    }
    quick.mark(items, missing)
    for item in items:
        for marker, reason in missing.items():
            if reason and item.get_closest_marker(marker):
                if CI:
                    raise pytest.UsageError(f"{item.nodeid} may not be skipped here: {reason}")
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: decode_audio collects garbage after each file, which would walk through it all."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def loop_of_the_main_thread() -> Iterator[None]:
    """The loop that pytest-asyncio puts back after each test: Python 3.11 makes one where there is none, unclosed."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session")
def bootstrap() -> Iterator[str]:
    """The address of a broker that lives as long as the suite."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    broker = kafka.Broker()
    try:
        broker.start()
        asyncio.run(kafka.answers(broker.bootstrap))
        yield broker.bootstrap
    finally:
        broker.remove()
