"""Lines of prose in the documentation have at most 120 characters: CONTRIBUTING.md."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

LONGEST = 120


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a page that are no table and no code."""
    code = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
        elif not code and not line.lstrip().startswith("|"):
            yield number, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_are_short(page: Path) -> None:
    long = [number for number, line in prose(page) if len(line) > LONGEST]
    assert not long, f"lines over {LONGEST} characters: {long}"
