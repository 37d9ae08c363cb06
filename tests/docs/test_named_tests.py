"""docs/guarantees.md and docs/threat-model.md name the tests that prove what they say: they exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("guarantees.md", "threat-model.md")


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


def sections(page: str) -> list[str]:
    return re.split(r"^## \d+\. ", text_of(page), flags=re.MULTILINE)[1:]


def named(page: str) -> list[tuple[str, str]]:
    """(file, test) of every test that a page names, in the list entry of its file."""
    found = []
    for item in re.findall(r"^- (`tests/.*?)(?=^- |^#|\Z)", text_of(page), re.DOTALL | re.MULTILINE):
        file, *tests = re.findall(r"`([\w/.]+)`", item)
        found += [(file, test) for test in tests]
    return found


def test_every_guarantee_names_tests() -> None:
    assert len(sections("guarantees.md")) == 6
    assert all("`tests/" in section for section in sections("guarantees.md"))


def test_of_every_threat_it_is_said_what_holds_what_does_not_and_which_tests_prove_it() -> None:
    assert len(sections("threat-model.md")) == 10
    for section in sections("threat-model.md"):
        headings = re.findall(r"^\*\*(.*)\.\*\*$", section, re.MULTILINE)
        assert headings == ["What holds", "What does not hold", "Tests"], section.partition("\n")[0]
        assert "`tests/" in section.partition("**Tests.**")[2]


@pytest.mark.parametrize(("file", "test"), sorted({each for page in PAGES for each in named(page)}))
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    assert re.search(rf"\bdef {test}\(", (ROOT / file).read_text())
