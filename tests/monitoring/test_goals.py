"""What cannot read the goals says the same: buckets, alerts on overload, docs. Objectives: alerts/test_slo.py."""

import re
from pathlib import Path

import pytest

from bench.latency import GOALS
from livecaptions.settings.fields import Settings
from monitoring import buckets, goals
from tests.monitoring.alerts.rules import RUNBOOKS, alerts

DOCS = Path(__file__).resolve().parents[2] / "docs"
ON_OVERLOAD = ["LivecaptionsFinalsOverdue", "LivecaptionsAudioBehind"]


@pytest.mark.parametrize(
    ("bounds", "goal"),
    [
        (buckets.WORD_SHOWN, goals.WORD_SHOWN_MEDIAN),
        (buckets.WORD_SHOWN, goals.WORD_SHOWN),
        (buckets.FIRST_PARTIAL, goals.FIRST_PARTIAL),
        (buckets.FINAL, goals.FINAL),
        (buckets.CONFIDENCE, goals.CONFIDENCE),
        (buckets.LOOP_LAG, goals.EVENT_LOOP_LAG),
    ],
)
def test_a_goal_is_the_bound_of_a_bucket(bounds: tuple[float, ...], goal: goals.Goal) -> None:
    assert set(goal) <= set(bounds)


def test_newcomers_are_refused_from_where_waiting_is_unbearable() -> None:
    assert Settings.model_fields["overload_after"].default == goals.FINALS_OVERDUE.bearable


@pytest.mark.parametrize("name", ON_OVERLOAD)
def test_an_alert_on_overload_fires_where_newcomers_are_refused(name: str) -> None:
    (alert,) = (alert for alert in alerts() if alert.name == name)
    bound = f"{goals.FINALS_OVERDUE.bearable:g}"
    assert alert.expression.endswith(f" > {bound}")
    assert f"{bound} s" in (RUNBOOKS / f"{name}.md").read_text()


@pytest.mark.parametrize("name", ["latency.md", "kafka.md"])
def test_a_table_of_latencies_has_the_goals_beside_it(name: str) -> None:
    _, head, table = (DOCS / name).read_text().partition("| | goal | talk |")
    assert head
    table, *_ = table.partition("\n\n")
    written = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", table, re.MULTILINE))
    assert {row: goal for row, goal in written.items() if goal.strip()}.items() <= GOALS.items()
    assert {row for row in GOALS if "WER" not in row} <= written.keys()


def test_the_goals_of_a_level_are_told() -> None:
    told = (
        f"The goals are word shown {goals.WORD_SHOWN_MEDIAN.good:g} / {goals.WORD_SHOWN.good:g} s, "
        f"word stable {goals.WORD_STABLE_MEDIAN.good:g} / {goals.WORD_STABLE.good:g} s, "
        f"first partial p95 {goals.FIRST_PARTIAL.good:g} s, final p95 {goals.FINAL.good:g} s, "
    )
    assert told in (DOCS / "capacity.md").read_text()
