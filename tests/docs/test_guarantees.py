"""docs/guarantees.md names the tests that prove each guarantee: they exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()


def named() -> list[tuple[str, str]]:
    """(file, test) of every test that the page names, in the list entry of its file."""
    found = []
    for item in re.findall(r"^- (`tests/.*?)(?=^- |^#|\Z)", PAGE, re.DOTALL | re.MULTILINE):
        file, *tests = re.findall(r"`([\w/.]+)`", item)
        found += [(file, test) for test in tests]
    return found


def test_every_guarantee_names_tests() -> None:
    sections = re.split(r"^## \d\. ", PAGE, flags=re.MULTILINE)[1:]
    assert len(sections) == 6
    assert all("`tests/" in section for section in sections)


@pytest.mark.parametrize(("file", "test"), named())
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    assert re.search(rf"\bdef {test}\(", (ROOT / file).read_text())
