"""The rules hold what docs/slo.md promises, at the paces and windows of the SRE workbook."""

import re

import pytest

from monitoring import goals
from tests.monitoring.alerts.rules import ROOT, RUNBOOKS, Alert, alerts, rules

TEXT = (ROOT / "docs" / "slo.md").read_text()
OBJECTIVES = {
    "livecaptions_word_shown_seconds": (goals.WORD_SHOWN.bearable, goals.WORDS_IN_TIME.bearable),
    "livecaptions_final_seconds": (goals.FINAL.bearable, goals.FINALS_IN_TIME.bearable),
}
METRICS = {
    "LivecaptionsWordsLate": "livecaptions_word_shown_seconds",
    "LivecaptionsFinalsLate": "livecaptions_final_seconds",
}
BURNS = {
    ("page", "5m", "1h", 14.4),
    ("page", "30m", "6h", 6.0),
    ("ticket", "2h", "1d", 3.0),
    ("ticket", "6h", "3d", 1.0),
}


def test_both_objectives_are_written_down() -> None:
    written = re.findall(r"within ([\d.]+) s .*\| `(livecaptions_\w+)`, le ([\d.]+) \| ([\d.]+) %", TEXT)
    assert written == [
        (f"{bound:g}", metric, str(bound), f"{100 * target:g}") for metric, (bound, target) in OBJECTIVES.items()
    ]


@pytest.mark.parametrize("name", METRICS)
def test_an_alert_says_what_is_late(name: str) -> None:
    bound, _ = OBJECTIVES[METRICS[name]]
    said = [alert.annotations["description"] for alert in alerts() if alert.name == name]
    for text in (*said, (RUNBOOKS / f"{name}.md").read_text()):
        assert f" later than {bound:g} s after " in text


@pytest.mark.parametrize("name", METRICS)
def test_an_objective_burns_at_four_paces(name: str) -> None:
    assert {burn(alert) for alert in alerts() if alert.name == name} == BURNS


def burn(alert: Alert) -> tuple[str, str, str, float]:
    """An alert's severity, its windows and the pace that it allows, once its budget is the objective's."""
    found = re.findall(r"ratio_rate(\w+)\) > (?:([\d.]+) \* )?([\d.]+)", alert.expression)
    (short, pace, budget), (long, same_pace, same_budget) = found
    assert (pace, budget) == (same_pace, same_budget)
    assert float(budget) == pytest.approx(1 - OBJECTIVES[METRICS[alert.name]][1])
    assert (short, long) == (alert.labels["short"], alert.labels["long"])
    assert f"_late:increase{long} >" in alert.expression
    return alert.labels["severity"], short, long, float(pace or 1)


@pytest.mark.parametrize("metric", METRICS.values())
def test_what_is_recorded_counts_what_is_promised(metric: str) -> None:
    bound, target = OBJECTIVES[metric]
    recorded = {rule["record"]: rule["expr"] for _, rule in rules() if metric in rule["expr"]}
    assert recorded
    for name, expression in recorded.items():
        window = re.findall(r"\d+[mhd]$", name)
        assert set(re.findall(r"\[(\w+)\]", expression)) == set(window)
        assert f'{metric}_bucket{{le="{bound}"}}' in expression
    rule = metric.removesuffix("_seconds").replace("_", ":", 1)
    everything = " ".join(rule["expr"] for _, rule in rules())
    (budget,) = re.findall(rf"{rule}_within_slo:ratio_rate30d\) / ([\d.]+)", everything)
    assert float(budget) == pytest.approx(1 - target)
