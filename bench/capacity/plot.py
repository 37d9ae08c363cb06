"""A plot of quality and cost by the number of streams."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.capacity.goals import Goals
from bench.capacity.level import Level
from bench.capacity.run import Result

Value = Callable[[Level], float | None]

MEGABYTE = 2**20


def picture(results: Sequence[Result], goals: Goals, path: Path) -> None:
    """Write a PNG file. Goals are dotted lines."""
    panels: list[tuple[str, list[tuple[str, Value]], list[float | None]]] = [
        (
            "word shown, s",
            [("p50", lambda level: level.word_shown.p50), ("p95", lambda level: level.word_shown.p95)],
            [goals.word_shown_p50, goals.word_shown_p95],
        ),
        (
            "word stable, s",
            [("p50", lambda level: level.word_stable.p50), ("p95", lambda level: level.word_stable.p95)],
            [goals.word_stable_p50, goals.word_stable_p95],
        ),
        ("final, s", [("p95", lambda level: level.final.p95)], [goals.final_p95]),
        (
            "errors",
            [("WER", lambda level: level.word_error_rate), ("erasure", lambda level: level.erasure)],
            [],
        ),
        ("CPU s per audio s", [("", lambda level: level.cpu_seconds)], []),
        ("peak memory, MB", [("", lambda level: None if level.memory is None else level.memory / MEGABYTE)], []),
    ]
    figure = Figure(figsize=(12, 7), layout="constrained")
    for axes, (title, lines, limits) in zip(figure.subplots(2, 3).flat, panels, strict=True):
        _panel(axes, title, lines, limits, results)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=120)


def _panel(
    axes: Axes,
    title: str,
    lines: Sequence[tuple[str, Value]],
    limits: Sequence[float | None],
    results: Sequence[Result],
) -> None:
    axes.set_title(title)
    axes.set_xlabel("streams")
    for color, result in enumerate(results):
        levels = sorted(result.levels, key=lambda level: level.streams)
        for style, (name, value) in zip(("-", "--"), lines, strict=False):
            points = [(level.streams, found) for level in levels if (found := value(level)) is not None]
            label = f"{result.system} {name}".strip()
            axes.plot(
                [streams for streams, _ in points],
                [found for _, found in points],
                f"C{color}{style}",
                marker="o",
                markersize=3,
                label=label,
            )
    for limit in limits:
        if limit is not None:
            axes.axhline(limit, color="gray", linestyle=":", linewidth=1)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
