"""The dashboards as they are kept."""

import json
from typing import Any

import pytest

from tools.dashboards.files import DASHBOARDS, FOLDER

Panel = dict[str, Any]


def kept(name: str) -> dict[str, Any]:
    """A dashboard by its file's name."""
    board: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return board


PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name in DASHBOARDS
    for panel in kept(name)["panels"]
    if panel["type"] != "row"
]
