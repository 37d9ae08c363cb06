"""Draws the figures. Green: the goal is met. Yellow: viewers notice. Red: operators should act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from livecaptions.top.figures import Figures, TargetFigures
from monitoring import goals
from monitoring.goals import Goal

UNKNOWN = Text("-", style="dim")
WORST_PARTITIONS = 8


@dataclass(frozen=True)
class Screen:
    """All figures, for a terminal of any width."""

    figures: Figures
    at: datetime

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the parts, from top to bottom."""
        f = self.figures
        yield _head(f, self.at)
        yield Columns((_load(f), _latency(f), _quality(f), _problems(f)), padding=(0, 1))
        yield _behind(f)
        yield _targets(f.targets, options.max_width)
        for target in f.targets:
            if target.error is not None:
                yield Text(f"{target.url} is unreachable: {target.error}", style="red bold")


def _head(f: Figures, at: datetime) -> Text:
    return Text.assemble(
        ("livecaptions top", "bold"),
        f"  {at:%H:%M:%S}  ",
        (f"{len(f.targets) - f.unreachable} of {len(f.targets)} up", "red bold" if f.unreachable else "green"),
        (f"  {f.restarts} restarted" if f.restarts else "", "yellow"),
        (f"  last {f.window_seconds:.0f} s" if f.window_seconds else "  first look", "dim"),
    )


def _load(f: Figures) -> Panel:
    return _panel(
        "load",
        ("speakers", _number(f.sessions)),
        ("decoded streams", _number(f.streams)),
        ("viewers", _number(f.viewers)),
        ("speech per second", _format(f.speech_share, "{:.2f} s")),
        ("words per minute", _number(f.words_per_minute)),
        ("partials per second", _number(f.partials_per_second, 1)),
        ("finals per minute", _number(f.finals_per_minute, 1)),
    )


def _latency(f: Figures) -> Panel:
    return _panel(
        "latency",
        ("word shown p50", _seconds(f.word_shown_p50_seconds, goals.WORD_SHOWN_MEDIAN)),
        ("word shown p95", _seconds(f.word_shown_p95_seconds, goals.WORD_SHOWN)),
        ("first partial p95", _seconds(f.first_partial_p95_seconds, goals.FIRST_PARTIAL)),
        ("final p95", _seconds(f.final_p95_seconds, goals.FINAL)),
        ("longest wait", _seconds(f.finals_overdue_seconds, goals.FINALS_OVERDUE)),
        ("audio behind", _seconds(f.audio_behind_worst_seconds, goals.AUDIO_BEHIND)),
        ("real-time factor", _judged(f.real_time_factor, goals.REAL_TIME_FACTOR, "{:.2f}")),
    )


def _quality(f: Figures) -> Panel:
    return _panel(
        "quality",
        ("erased words", _judged(f.erasure, goals.ERASURE, "{:.1%}")),
        ("confidence p50", _judged(f.confidence_p50, goals.CONFIDENCE, "{:.2f}")),
        ("queue", _number(f.queue_utterances)),
        *((f"gate {gate}", _number(count)) for gate, count in f.gates_fired.items()),
    )


def _problems(f: Figures) -> Panel:
    refused = {f"refused {code}": count for code, count in f.refusals.items()}
    return _panel(
        "problems",
        ("partials dropped", _number(f.partials_dropped)),
        ("slow viewers", _bad(f.slow_viewers)),
        ("dead letters", _bad(f.dead_letters)),
        ("restarts", _bad(f.restarts)),
        *((name, _bad(count)) for name, count in (refused or {"refused": 0.0}).items()),
    )


def _behind(f: Figures) -> Text:
    waiting = {partition: seconds for partition, seconds in f.audio_behind_seconds.items() if seconds > 0}
    if not waiting:
        return Text("audio behind: none on any partition", style="dim")
    return Text(f"audio behind by partition: {_worst(waiting)}", style="dim")


def _worst(waiting: Mapping[str, float]) -> str:
    shown = [f"{partition}: {seconds:.1f} s" for partition, seconds in list(waiting.items())[:WORST_PARTITIONS]]
    more = len(waiting) - len(shown)
    return "  ".join([*shown, *([f"and {more} more"] if more else [])])


COLUMNS: dict[str, Callable[[TargetFigures], Text]] = {
    "speakers": lambda t: _number(t.sessions),
    "viewers": lambda t: _number(t.viewers),
    "streams": lambda t: _number(t.streams),
    "behind": lambda t: _seconds(t.audio_behind_seconds, goals.AUDIO_BEHIND),
    "queue": lambda t: _number(t.queue_utterances),
    "rtf": lambda t: _judged(t.real_time_factor, goals.REAL_TIME_FACTOR, "{:.2f}"),
    "decoding": lambda t: _format(t.decoding_share, "{:.0%}"),
    "cores": lambda t: _format(t.cpu_cores, "{:.2f}"),
    "MiB": lambda t: _format(t.memory_bytes and t.memory_bytes / 2**20, "{:.0f}"),
}
"""The columns of the table of targets. In a narrow terminal, columns at the end are left out."""
COLUMN_WIDTH = 8
NAME_WIDTH = 40


def _targets(targets: tuple[TargetFigures, ...], width: int) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("target", overflow="ellipsis", no_wrap=True, ratio=3)
    table.add_column("state", overflow="ellipsis", no_wrap=True, ratio=2)
    shown = list(COLUMNS)[: max(0, (width - NAME_WIDTH) // (COLUMN_WIDTH + 1))]
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True, min_width=COLUMN_WIDTH)
    for target in targets:
        name = target.url.removeprefix("http://")
        table.add_row(name, _state(target), *(COLUMNS[column](target) for column in shown))
    return table


def _state(target: TargetFigures) -> Text:
    if target.error is not None:
        return Text("unreachable", style="red bold")
    roles = "+".join(target.roles) or "up"
    return Text.assemble((roles, "green"), (f" restarted {target.restarts}x" if target.restarts else "", "yellow"))


def _panel(title: str, *rows: tuple[str, Text]) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for name, value in rows:
        table.add_row(name, value)
    return Panel(table, title=title, title_align="left", border_style="dim", expand=False)


def _format(value: float | None, form: str) -> Text:
    return UNKNOWN if value is None else Text(form.format(value))


def _number(value: float | None, digits: int = 0) -> Text:
    return _format(value, f"{{:.{digits}f}}")


def _bad(value: float | None) -> Text:
    text = _number(value)
    if value:
        text.stylize("red bold")
    return text


def _seconds(value: float | None, goal: Goal) -> Text:
    return _judged(value, goal, "{:.2f} s")


def _judged(value: float | None, goal: Goal, form: str) -> Text:
    return UNKNOWN if value is None else Text(form.format(value), style=_colour(value, goal))


def _colour(value: float, goal: Goal) -> str:
    # if higher is better, the limits of the goal decrease
    sign = 1 if goal.good <= goal.bearable else -1
    if sign * value <= sign * goal.good:
        return "green"
    return "yellow" if sign * value <= sign * goal.bearable else "red bold"
