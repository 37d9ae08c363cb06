"""Rules ask for what is measured: names, labels and the bounds of buckets."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.families import Families
from monitoring.metrics import ServeProbe
from tests.monitoring.alerts.rules import METRIC, RECORDED, SELECTOR, rules

ADDED_BY_PROMETHEUS = {"up"}
TARGET_LABELS = {"job", "instance"}
RECORDS = {rule["record"] for _, rule in rules() if "record" in rule}
each_expression = pytest.mark.parametrize("expression", sorted({rule["expr"] for _, rule in rules()}))


def exposed() -> dict[str, list[dict[str, str]]]:
    """The labels of every series that a process exposes before it works, by name; of none, where it only has a name."""
    probe = ServeProbe(Families(), "1.0")
    probe.model_loaded("tiny.en", "int8", "cpu")
    body, _ = probe.render()
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(body.decode()):
        found.setdefault(family.name + ("_total" if family.type == "counter" else ""), [])
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


EXPOSED = exposed()


@each_expression
def test_every_metric_exists(expression: str) -> None:
    asked = set(METRIC.findall(expression))
    assert asked or RECORDED.search(expression)
    assert asked - ADDED_BY_PROMETHEUS <= EXPOSED.keys()


@each_expression
def test_every_recorded_series_is_recorded(expression: str) -> None:
    assert set(RECORDED.findall(expression)) <= RECORDS


@each_expression
def test_what_is_selected_is_there_from_the_start(expression: str) -> None:
    for metric, matchers in SELECTOR.findall(expression):
        for label, pattern in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
            if label not in TARGET_LABELS:
                values = {labels.get(label) for labels in EXPOSED[metric]}
                assert set(pattern.split("|")) <= values, f"an increase() of {metric} misses what comes first"
