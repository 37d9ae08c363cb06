"""What was measured, as tables for people and as JSON for files."""

import json
import math
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.capacity.compared import Compared
from bench.capacity.level import Level, Spread
from bench.capacity.run import Result

UNKNOWN = "unknown"
WIDTH = 170
"""Columns that the tables take: in a narrower terminal or a file their lines are whole, no figure is cut."""


def table(results: Sequence[Result]) -> Table:
    """A row for each level; what it broke is told in words."""
    shown = Table(title="Capacity", title_justify="left", title_style="bold", caption=_CAPTION, caption_justify="left")
    for heading in ("system", "streams"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("word shown", "word stable", "final", "erasure", "WER", "CPU s", "cores", "memory", "sender"):
        shown.add_column(heading, justify="right")
    shown.add_column("goals", min_width=16)
    for result in results:
        for level, broken in zip(result.levels, result.broken, strict=True):
            shown.add_row(*_cells(level), _verdict(broken))
        shown.add_section()
    return shown


_CAPTION = (
    "Latencies are p50 / p95 in seconds. CPU s: for each second of audio. Sender: the load generator; late is the "
    "99th percentile of its frames."
)


def _cells(level: Level) -> list[str]:
    return [
        level.system,
        str(level.streams),
        _seconds(level.word_shown),
        _seconds(level.word_stable),
        _seconds(level.final),
        _figure(level.erasure),
        _percent(level.word_error_rate),
        _figure(level.cpu_seconds),
        _figure(level.cores),
        UNKNOWN if level.memory is None else f"{level.memory / 2**20:.0f} MB",
        str(level.sender),
    ]


def _verdict(broken: Sequence[str]) -> Text:
    return Text("; ".join(broken), style="red") if broken else Text("held", style="green")


def _seconds(spread: Spread) -> str:
    return "-" if math.isnan(spread.p50) else f"{spread.p50:.2f} / {spread.p95:.2f}"


def _figure(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return "-" if math.isnan(value) else f"{value:.2f}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def summary(results: Sequence[Result], cores: int | None) -> Text:
    """The most streams of each system, and how many that is for each of ``cores`` (None: of an unknown machine)."""
    lines = []
    for result in results:
        best = result.best
        if best is None:
            lines.append(f"{result.system}: the goals held at no level")
            continue
        each = "" if cores is None else f", {best.streams / cores:.3g} per core ({cores} given)"
        lines.append(f"{result.system}: {best.streams} streams{each}")
    return Text("\n".join(lines))


def ratios(compared: Sequence[Compared]) -> Table:
    """Ours beside each peer's best level."""
    shown = Table(
        title="At equal or better latency, erasure and WER, in this run",
        title_justify="left",
        title_style="bold",
    )
    for heading in ("peer", "its streams", "our streams", "times as many"):
        shown.add_column(heading, justify="left" if heading == "peer" else "right")
    for one in compared:
        ours = "none" if one.ours is None else str(one.ours.streams)
        shown.add_row(one.peer.system, str(one.peer.streams), ours, f"{one.ratio:.3g}")
    return shown


def tell(console: Console, results: Sequence[Result], compared: Sequence[Compared], cores: int | None) -> None:
    """Print everything, as the command does at its end."""
    parts: list[RenderableType] = [table(results), "", summary(results, cores)]
    if compared:
        parts += ["", ratios(compared)]
    console.width = max(console.width, WIDTH)
    console.print(Group(*parts))


def write(path: Path, results: Sequence[Result], compared: Sequence[Compared], settings: dict[str, Any]) -> None:
    """The same as JSON, with where and how it was measured; figures that there are none of are null."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "processor": _processor(), "system": platform.platform()},
        "settings": settings,
        "systems": [
            {
                "system": result.system,
                "best": result.best.streams if result.best else None,
                "levels": [
                    {**level.as_json(), "broken": broken}
                    for level, broken in zip(result.levels, result.broken, strict=True)
                ],
            }
            for result in results
        ],
        "compared": [
            {
                "peer": one.peer.system,
                "peer_streams": one.peer.streams,
                "our_streams": one.ours.streams if one.ours else None,
                "ratio": one.ratio,
            }
            for one in compared
        ],
    }
    path.write_text(json.dumps(_nulled(content), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _nulled(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value with null for nan, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _nulled(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nulled(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _processor() -> str:
    """Its name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
