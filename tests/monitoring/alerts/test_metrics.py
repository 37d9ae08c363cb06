"""Rules ask for what is measured: names, labels and the bounds of buckets."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.families import Families
from monitoring.metrics import ServeProbe
from tests.monitoring.alerts.rules import METRIC, RECORDED, SELECTOR, rules

ADDED_BY_PROMETHEUS = {"up"}
TARGET_LABELS = {"job", "instance"}
EXPRESSIONS = {rule.get("alert") or rule["record"]: rule["expr"] for _, rule in rules()}


def exposed() -> dict[str, list[dict[str, str]]]:
    """The labels of every series that a process exposes from its start, by name; of none, where it only has a name."""
    body, _ = ServeProbe(Families(), "1.0").render()
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(body.decode()):
        found.setdefault(family.name + ("_total" if family.type == "counter" else ""), [])
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


EXPOSED = exposed()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_metric_exists(name: str) -> None:
    asked = set(METRIC.findall(EXPRESSIONS[name]))
    assert asked or RECORDED.search(EXPRESSIONS[name])
    assert asked - ADDED_BY_PROMETHEUS <= EXPOSED.keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_recorded_series_is_recorded(name: str) -> None:
    assert set(RECORDED.findall(EXPRESSIONS[name])) <= EXPRESSIONS.keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_selected_is_there_from_the_start(name: str) -> None:
    for metric, matchers in SELECTOR.findall(EXPRESSIONS[name]):
        for label, pattern in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
            if label not in TARGET_LABELS:
                values = {labels.get(label) for labels in EXPOSED[metric]}
                assert set(pattern.split("|")) <= values, f"an increase() of {metric} misses what comes first"
