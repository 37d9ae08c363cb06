"""The faster clock of the drill changes durations and nothing else."""

import re
from pathlib import Path

import pytest
import yaml

from tests.monitoring.alerts.rules import FILES
from tests.monitoring.alerts.scaled import duration, scaled
from tests.monitoring.alerts.servers import ALERTMANAGER


@pytest.mark.parametrize(
    ("text", "factor", "expected"),
    [("1m", 0.1, "6000ms"), ("1h30m", 1, "5400000ms"), ("3d", 0.5, "129600000ms"), ("1s", 0.0001, "1ms")],
)
def test_a_duration(text: str, factor: float, expected: str) -> None:
    assert duration(text, factor) == expected


def test_a_rule() -> None:
    rule = {
        "alert": "A5m",
        "expr": 'rate(x{le="5m"}[5m] offset 6m) > 5 and livecaptions:x:ratio_rate5m > 300',
        "for": "2m",
        "labels": {"long": "1h"},
        "annotations": {"description": "for 2m, {{ $value }}"},
    }
    assert scaled({"groups": [{"name": "g", "interval": "30s", "rules": [rule]}]}, 0.1) == {
        "groups": [
            {
                "name": "g",
                "interval": "3000ms",
                "rules": [
                    {
                        **rule,
                        "expr": 'rate(x{le="5m"}[30000ms] offset 36000ms) > 5 and livecaptions:x:ratio_rate5m > 300',
                        "for": "12000ms",
                    }
                ],
            }
        ]
    }


def test_routes() -> None:
    route = {"group_wait": "10s", "repeat_interval": "1h", "routes": [{"group_interval": "1m", "receiver": "pager"}]}
    assert scaled({"route": route}, 0.1)["route"] == {
        "group_wait": "1000ms",
        "repeat_interval": "360000ms",
        "routes": [{"group_interval": "6000ms", "receiver": "pager"}],
    }


@pytest.mark.parametrize("file", [*FILES, ALERTMANAGER], ids=lambda file: file.stem)
def test_every_duration_of_ours_is_found(file: Path) -> None:
    document = yaml.safe_load(file.read_text())
    once = yaml.safe_dump(scaled(document, 1), width=10_000)
    left = re.findall(r"(?:\[|offset |interval: |wait: |for: )\d+[smhd]\b.*", once)
    assert not left
    assert re.search(r"\b\d+ms\b", once)
