"""The figures drawn: what is at its goal green, what viewers notice yellow, what calls for somebody red."""

from collections.abc import Mapping
from datetime import datetime

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from livecaptions.top import goals
from livecaptions.top.figures import Figures, TargetFigures
from livecaptions.top.goals import Goal

UNKNOWN = Text("-", style="dim")
WORST_PARTITIONS = 8


def drawn(figures: Figures, at: datetime) -> RenderableType:
    """Everything, for a terminal of any width."""
    up = len(figures.targets) - figures.unreachable
    head = Text.assemble(
        ("livecaptions top", "bold"),
        f"  {at:%H:%M:%S}  ",
        (f"{up} of {len(figures.targets)} up", "red bold" if figures.unreachable else "green"),
        (f"  {figures.restarts} restarted" if figures.restarts else "", "yellow"),
        (f"  over the last {figures.window_seconds:.0f} s" if figures.window_seconds else "  first look", "dim"),
    )
    panels = (_captioned(figures), _late(figures), _sure(figures), _trouble(figures))
    return Group(head, Columns(panels, padding=(0, 1)), _behind(figures), _targets(figures.targets))


def _captioned(f: Figures) -> Panel:
    return _panel(
        "captioned",
        ("speakers", _number(f.sessions)),
        ("of them heard by workers", _number(f.streams)),
        ("viewers", _number(f.viewers)),
        ("speech, seconds a second", _number(f.speech_share, 2)),
        ("words a minute", _number(f.words_per_minute)),
        ("partials a second", _number(f.partials_per_second, 1)),
        ("finals a minute", _number(f.finals_per_minute, 1)),
    )


def _late(f: Figures) -> Panel:
    return _panel(
        "how late",
        ("word shown p50", _seconds(f.word_shown_p50_seconds, goals.WORD_SHOWN_MEDIAN)),
        ("word shown p95", _seconds(f.word_shown_p95_seconds, goals.WORD_SHOWN)),
        ("first partial p95", _seconds(f.first_partial_p95_seconds, goals.FIRST_PARTIAL)),
        ("final p95", _seconds(f.final_p95_seconds, goals.FINAL)),
        ("longest wait for a final", _seconds(f.finals_overdue_seconds, goals.FINALS_OVERDUE)),
        ("audio behind, worst", _seconds(f.audio_behind_worst_seconds, goals.AUDIO_BEHIND)),
        ("real-time factor", _judged(f.real_time_factor, goals.REAL_TIME_FACTOR, "{:.2f}")),
    )


def _sure(f: Figures) -> Panel:
    return _panel(
        "how sure",
        ("words taken back", _judged(f.erasure, goals.ERASURE, "{:.1%}")),
        ("confidence, median word", _judged(f.confidence_p50, goals.CONFIDENCE, "{:.2f}")),
        ("utterances waiting", _number(f.queue_utterances)),
        *((f"gate {gate}", _number(count)) for gate, count in f.gates_fired.items()),
    )


def _trouble(f: Figures) -> Panel:
    refused = {f"refused {code}": count for code, count in f.refusals.items()}
    return _panel(
        "trouble",
        ("partials dropped", _number(f.partials_dropped)),
        ("slow viewers let go", _bad(f.slow_viewers)),
        ("dead letters", _bad(f.dead_letters)),
        ("restarts", _bad(f.restarts)),
        *((name, _bad(count)) for name, count in (refused or {"refused": 0.0}).items()),
    )


def _behind(f: Figures) -> RenderableType:
    waiting = {partition: seconds for partition, seconds in f.audio_behind_seconds.items() if seconds > 0}
    if not waiting:
        return Text("audio behind: none on any partition", style="dim")
    return Text(f"audio behind by partition: {_worst(waiting)}", style="dim")


def _worst(waiting: Mapping[str, float]) -> str:
    shown = [f"{partition}: {seconds:.1f} s" for partition, seconds in list(waiting.items())[:WORST_PARTITIONS]]
    more = len(waiting) - len(shown)
    return "  ".join([*shown, *([f"and {more} more"] if more else [])])


def _targets(targets: tuple[TargetFigures, ...]) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1), header_style="dim")
    table.add_column("target", overflow="fold", ratio=3)
    table.add_column("state", overflow="fold", ratio=2)
    for name in ("speakers", "viewers", "streams", "queue", "behind", "rtf", "decoding", "cpu", "memory"):
        table.add_column(name, justify="right", no_wrap=True)
    for target in targets:
        table.add_row(
            target.url.removeprefix("http://"),
            _state(target),
            _number(target.sessions),
            _number(target.viewers),
            _number(target.streams),
            _number(target.queue_utterances),
            _seconds(target.audio_behind_seconds, goals.AUDIO_BEHIND),
            _judged(target.real_time_factor, goals.REAL_TIME_FACTOR, "{:.2f}"),
            _format(target.decoding_share, "{:.0%}"),
            _format(target.cpu_cores, "{:.2f}"),
            _format(target.memory_bytes and target.memory_bytes / 2**20, "{:.0f} MiB"),
        )
    return table


def _state(target: TargetFigures) -> Text:
    if target.error is not None:
        return Text(f"unreachable: {target.error}", style="red bold")
    said = "+".join(target.roles) or "up"
    restarted = f", restarted {target.restarts}x" if target.restarts else ""
    return Text.assemble((said, "green"), f" {target.model or ''}".rstrip(), (restarted, "yellow"))


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
    text = _format(value, form)
    if value is not None:
        text = Text(text.plain, style=_colour(value, goal))
    return text


def _colour(value: float, goal: Goal) -> str:
    less_is_better = goal.good <= goal.bearable
    good, bearable = (
        (value <= goal.good, value <= goal.bearable)
        if less_is_better
        else (
            value >= goal.good,
            value >= goal.bearable,
        )
    )
    return "green" if good else "yellow" if bearable else "red bold"
