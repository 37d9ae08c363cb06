"""Results as tables and as JSON."""

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
"""The width of the tables in columns. It is used in narrower terminals and files too, so that no figure is cut."""


def table(results: Sequence[Result]) -> Table:
    """A table with one row per level, including the broken goals."""
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
    "Latencies are p50 / p95 in seconds. CPU s: per second of audio. Sender: the load generator; late is the p99 of "
    "the delay of its frames."
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
    """The most streams of each system, also per core. ``cores`` is None if they are unknown."""
    lines = []
    for result in results:
        best = result.best
        if best is None:
            lines.append(f"{result.system}: no level met the goals")
            continue
        each = "" if cores is None else f", {best.streams / cores:.3g} per core ({cores} given)"
        lines.append(f"{result.system}: {best.streams} streams{each}")
    return Text("\n".join(lines))


def ratios(compared: Sequence[Compared]) -> Table:
    """A table that compares our level with each peer's best level."""
    shown = Table(
        title="At equal or better latency, erasure and WER, in this run",
        title_justify="left",
        title_style="bold",
    )
    for heading in ("peer", "its streams", "our streams", "ratio"):
        shown.add_column(heading, justify="left" if heading == "peer" else "right")
    for one in compared:
        ours = "none" if one.ours is None else str(one.ours.streams)
        shown.add_row(one.peer.system, str(one.peer.streams), ours, f"{one.ratio:.3g}")
    return shown


def show(console: Console, results: Sequence[Result], compared: Sequence[Compared], cores: int | None) -> None:
    """Print all tables."""
    parts: list[RenderableType] = [table(results), "", summary(results, cores)]
    if compared:
        parts += ["", ratios(compared)]
    console.width = max(console.width, WIDTH)
    console.print(Group(*parts))


def write(path: Path, results: Sequence[Result], compared: Sequence[Compared], settings: dict[str, Any]) -> None:
    """Write the results as JSON, with the machine and the settings. Missing figures are null."""
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
    """Replace nan by null, because JSON has no nan."""
    if isinstance(value, dict):
        return {key: _nulled(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nulled(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _processor() -> str:
    """The name of the processor, if the system reports it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
