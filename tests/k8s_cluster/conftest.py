"""One cluster for all, and a report of what was waited for."""

from collections.abc import Generator, Iterator

import pytest

from tests.conftest import CI
from tests.k8s_cluster import cluster

WAITS: list[str] = []
"""Lines of the report at the end."""


@pytest.fixture(scope="session", autouse=True)
def running() -> Iterator[None]:
    """A cluster with the product's images, gone at the end."""
    if reason := cluster.missing():
        if CI:
            raise pytest.UsageError(f"the cluster's tests may not be skipped here: {reason}")
        pytest.skip(reason)
    try:
        cluster.up()
        cluster.load_product()
        yield
    finally:
        cluster.down()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and report.failed:
        item.add_report_section("call", "cluster", cluster.diagnosis())
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if WAITS:
        terminalreporter.section("what was waited for")
        for line in WAITS:
            terminalreporter.write_line(line)
