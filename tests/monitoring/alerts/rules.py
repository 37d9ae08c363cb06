"""The rule files as they are, read for tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "monitoring" / "alerts").glob("*.yml"))
UNIT_TESTS = sorted((ROOT / "monitoring" / "alerts" / "tests").glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks"

METRIC = re.compile(r"\b(?:(?:livecaptions|process)_\w+|up)\b(?![\w:]*\()")
RECORDED = re.compile(r"\blivecaptions:[\w:]+")
SELECTOR = re.compile(r"\b(\w+)\{([^}]*)\}")


@dataclass(frozen=True)
class Alert:
    """An alert rule."""

    file: Path
    name: str
    expression: str
    labels: dict[str, str]
    annotations: dict[str, str]

    def __str__(self) -> str:
        return " ".join([self.name, *self.labels.values()])


def rules() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every rule with the file that holds it."""
    for file in FILES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield file, rule


def alerts() -> list[Alert]:
    """Every alert rule; some share a name and differ in labels."""
    return [
        Alert(file, rule["alert"], rule["expr"], rule["labels"], rule["annotations"])
        for file, rule in rules()
        if "alert" in rule
    ]
