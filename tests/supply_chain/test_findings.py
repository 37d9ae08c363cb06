"""Which advisories count."""

import datetime as dt
from pathlib import Path

import pytest

from tools.audit import __main__ as audit
from tools.audit.findings import Advisory, Findings, acceptance, accepted

ADVISORY = Advisory("good 1.0", ("PYSEC-2026-1", "CVE-2026-1"), "bad", ())
ENTRY = '[{id}]\nreason = "its server alone"\nuntil = 2026-12-31\n'


def entries_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "accepted.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ADVISORY.ids)
def test_it_is_accepted_by_any_of_its_ids_until_the_day(tmp_path: Path, name: str) -> None:
    entries = accepted(entries_of(tmp_path, ENTRY.format(id=name)))
    assert acceptance(ADVISORY, entries, dt.date(2026, 12, 31)) is not None
    assert acceptance(ADVISORY, entries, dt.date(2027, 1, 1)) is None


@pytest.mark.parametrize(
    "text",
    [
        "[CVE-1]\nuntil = 2026-12-31\n",
        '[CVE-1]\nreason = ""\nuntil = 2026-12-31\n',
        '[CVE-1]\nreason = "so"\n',
        '[CVE-1]\nreason = "so"\nuntil = "soon"\n',
        '[CVE-1]\nreason = "so"\nuntil = 2026-12-31\nfor = "ever"\n',
    ],
)
def test_one_without_a_reason_or_a_last_day_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"\[CVE-1\] needs reason"):
        accepted(entries_of(tmp_path, text))


def test_ours_are_well_formed() -> None:
    accepted(audit.ACCEPTED)


def test_a_finding_fails_and_what_was_not_checked_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", entries_of(tmp_path, ""))
    assert audit.conclude(Findings(not_checked=["the database (away)"])) == 0
    assert capsys.readouterr().out.splitlines() == ["not checked: the database (away)", "0 findings, 1 not checked"]
    assert audit.conclude(Findings(flaws=["a flaw"])) == 1
    assert audit.conclude(Findings(advisories=[ADVISORY])) == 1
    assert "FAILED: good 1.0: PYSEC-2026-1 = CVE-2026-1: bad (no version fixes it)" in capsys.readouterr().out
    monkeypatch.setattr(
        audit, "ACCEPTED", entries_of(tmp_path, ENTRY.format(id="CVE-2026-1").replace("2026-12-31", "9999-12-31"))
    )
    assert audit.conclude(Findings(advisories=[ADVISORY])) == 0
    assert "accepted until 9999-12-31: good 1.0: " in capsys.readouterr().out
