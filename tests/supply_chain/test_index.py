"""What make audit makes of the answers of a package index: found, nothing to find, and not to be known."""

from typing import Any

import httpx
import pytest

from tools.audit import index
from tools.audit.findings import Findings
from tools.audit.lock import Package

PACKAGE = Package("good", "1.0", {"good-1.0.tar.gz": "sha256:aa"})
FILE = {"filename": "good-1.0.tar.gz", "hashes": {"sha256": "aa"}, "yanked": False}
BAD = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": None,
    "details": "It gives everything away.\nAnd more.",
    "fixed_in": ["1.1"],
    "withdrawn": None,
}


def ask(answers: dict[str, Any], *, advisories: bool = True) -> Findings:
    """Check ``PACKAGE`` at an index that answers so, and 404 to all else."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        if isinstance(found, Exception):
            raise found
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        return index.check((PACKAGE,), client, advisories=advisories)


def project(version: str, *vulnerabilities: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"version": version}, "vulnerabilities": list(vulnerabilities)}


def answers(**changes: dict[str, Any] | Exception | None) -> dict[str, Any]:
    pages = {"simple": {"files": [FILE]}, "exact": project("1.0"), "newest": None} | changes
    return {
        "/simple/good/": pages["simple"],
        "/pypi/good/1.0/json": pages["exact"],
        "/pypi/good/json": pages["newest"],
    }


def test_nothing_is_known_of_it() -> None:
    assert ask(answers()) == Findings()


@pytest.mark.parametrize(
    "pages",
    [{"exact": project("1.0", BAD)}, {"exact": None, "newest": project("1.0", BAD)}],
    ids=["of this version", "of the newest, which is this"],
)
def test_a_vulnerability_is_named_with_all_its_ids(pages: dict[str, Any]) -> None:
    (advisory,) = ask(answers(**pages)).advisories
    assert advisory.ids == ("PYSEC-2026-1", "CVE-2026-1")
    assert str(advisory) == ("good 1.0: PYSEC-2026-1 = CVE-2026-1: It gives everything away. (fixed in 1.1)")


def test_a_withdrawn_advisory_is_none() -> None:
    assert not ask(answers(exact=project("1.0", BAD | {"withdrawn": "2026-02-01"}))).advisories


@pytest.mark.parametrize(
    ("pages", "says"),
    [
        ({"exact": None, "newest": project("2.0", BAD)}, "the index tells them of 2.0 alone"),
        ({"exact": None}, "404"),
        ({"exact": {"info": {"version": "1.0"}}}, "does not tell them"),
        ({"exact": httpx.ConnectError("no route"), "newest": httpx.ConnectError("no route")}, "no route"),
    ],
)
def test_what_cannot_be_known_is_said_and_is_no_finding(pages: dict[str, Any], says: str) -> None:
    found = ask(answers(**pages))
    assert (found.advisories, found.flaws) == ([], [])
    (line,) = found.not_checked
    assert line.startswith("good 1.0: advisories (")
    assert says in line


def test_an_index_that_is_away_is_no_finding() -> None:
    found = ask(answers(simple=httpx.ConnectTimeout("too slow")))
    assert not found.flaws
    assert found.not_checked == ["good 1.0: withdrawn files (/simple/good/: ConnectTimeout: too slow)"]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (FILE | {"yanked": "broken"}, "was yanked (broken)"),
        (FILE | {"yanked": True}, "was yanked (no reason given)"),
        (FILE | {"hashes": {"sha256": "bb"}}, "has another hash at the index"),
        (FILE | {"filename": "good-1.0.zip"}, "is gone from the index"),
    ],
)
def test_a_file_that_is_not_what_was_locked(file: dict[str, Any], says: str) -> None:
    assert ask(answers(simple={"files": [file]})).flaws == [f"good 1.0: good-1.0.tar.gz {says}"]


def test_advisories_are_asked_for_only_where_another_source_has_none() -> None:
    assert ask(answers(exact=project("1.0", BAD)), advisories=False) == Findings()
