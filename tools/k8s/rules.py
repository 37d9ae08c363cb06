"""Converts the rules of monitoring/alerts for prometheus-operator: ``python -m tools.k8s.rules`` writes the file."""

from pathlib import Path
from typing import Any

import yaml

from tools.k8s.lint import ROOT

RULES = ROOT / "monitoring/alerts"
WRITTEN = ROOT / "k8s/components/monitoring/rules.yaml"
HEAD = "# Generated from monitoring/alerts by python -m tools.k8s.rules. Do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """Writes multi-line text as a block."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def groups(folder: Path = RULES) -> list[dict[str, Any]]:
    """The groups of all rule files, in the order of the files."""
    documents = [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yml"))]
    return [group for document in documents for group in document.get("groups", ())]


def manifest() -> str:
    """The PrometheusRule."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "livecaptions"},
        "spec": {"groups": groups()},
    }
    return HEAD + yaml.dump(rule, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


if __name__ == "__main__":
    WRITTEN.write_text(manifest())
