"""What is drawn, at the widths of real terminals."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from livecaptions.top.figures import Figures, TargetFigures
from livecaptions.top.screen import Screen

AT = datetime(2026, 11, 25, 9, 30, 15, tzinfo=UTC)

TARGET = TargetFigures(
    url="http://worker-1:9100",
    error=None,
    restarts=0,
    roles=("worker",),
    version="0.1.0",
    model="tiny.en",
    sessions=None,
    viewers=None,
    streams=2,
    queue_utterances=1,
    audio_behind_seconds=6.5,
    real_time_factor=0.2,
    decoding_share=0.75,
    cpu_cores=0.8,
    memory_bytes=512 * 2**20,
)

FIGURES = Figures(
    window_seconds=60,
    sessions=3,
    viewers=41,
    streams=2,
    speech_share=1.52,
    partials_per_second=8.2,
    finals_per_minute=31,
    words_per_minute=402,
    first_partial_p95_seconds=1.1,
    word_shown_p50_seconds=0.38,
    word_shown_p95_seconds=1.2,
    final_p95_seconds=2.75,
    finals_overdue_seconds=0,
    erasure=0.08,
    confidence_p50=0.93,
    audio_behind_worst_seconds=6.5,
    audio_behind_seconds={"7": 6.5, "3": 0.0},
    queue_utterances=1,
    real_time_factor=0.2,
    gates_fired={"loop": 2},
    refusals={"too_many": 4},
    partials_dropped=12,
    slow_viewers=1,
    dead_letters=0,
    restarts=1,
    unreachable=1,
    targets=(TARGET, replace(TARGET, url="http://worker-2:9100", error="timed out", streams=None)),
)


def screen(figures: Figures, width: int = 120, *, colours: bool = False) -> str:
    console = Console(width=width, height=40, force_terminal=colours, color_system="standard" if colours else None)
    with console.capture() as captured:
        console.print(Screen(figures, AT))
    return captured.get()


@pytest.mark.parametrize("width", [64, 80, 120, 200])
def test_everything_is_there_at_every_width(width: int) -> None:
    text = screen(FIGURES, width)
    assert max(len(line) for line in text.splitlines()) <= width
    for shown in (
        "09:30:15", "1 of 2 up", "1 restarted", "last 60 s",
        "speakers", "402", "0.38 s", "2.75 s", "8.0%", "0.93", "gate loop", "refused too_many", "7: 6.5 s",
    ):  # fmt: skip
        assert shown in text
    assert "worker-2:9100 is unreachable: timed out" in " ".join(text.split())


def test_colours_say_what_is_good_and_what_is_not() -> None:
    text = screen(FIGURES, colours=True)
    green, yellow, red = "\x1b[32m", "\x1b[33m", "\x1b[1;31m"
    assert f"{green}0.38 s" in text
    assert f"{yellow}1.20 s" in text
    assert f"{red}2.75 s" in text
    assert f"{red}http://worker-2:9100 is unreachable: timed out" in text
    assert f"{green}0.93" in text  # of confidence more is better


def test_what_is_not_known_is_a_dash_and_nothing_behind_is_said() -> None:
    fields: dict[str, Any] = {name: None for name, value in vars(FIGURES).items() if isinstance(value, float | int)}
    fields |= {"window_seconds": 0, "restarts": 0, "unreachable": 0}
    nothing = replace(FIGURES, **fields, audio_behind_seconds={"3": 0.0})
    text = screen(nothing)
    assert "first look" in text
    assert "audio behind: none on any partition" in text
    line = next(line for line in text.splitlines() if "word shown p50" in line)
    assert " - " in line
