"""Every alert has its page, every page its alert, and a page answers what one asks at night."""

import re
from pathlib import Path

import pytest

from tests.monitoring.alerts.rules import ROOT, RUNBOOKS, Alert, alerts

SECTIONS = ["What it means", "What users notice", "What to check first", "Why it happens", "How to fix it"]
PAGES = sorted(RUNBOOKS.glob("Livecaptions*.md"))


@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_every_alert_has_its_page(alert: Alert) -> None:
    assert alert.annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"
    assert (ROOT / alert.annotations["runbook_url"]).is_file()


def test_every_page_has_its_alert_and_its_place_in_the_list() -> None:
    names = {alert.name for alert in alerts()}
    assert {page.stem for page in PAGES} == names
    listed = re.findall(r"\((Livecaptions\w+)\.md\)", (RUNBOOKS / "README.md").read_text())
    assert sorted(listed) == sorted(names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_answers_what_one_asks(page: Path) -> None:
    title, *sections = re.split(r"^#+ (.*)\n", page.read_text(), flags=re.MULTILINE)[1:]
    assert title == page.stem
    assert sections[1::2] == SECTIONS
    assert all(text.strip() for text in sections[2::2])


@pytest.mark.parametrize("page", [*PAGES, RUNBOOKS / "README.md", ROOT / "docs" / "slo.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
