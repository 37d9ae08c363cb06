import io
import json
from typing import Any

from rich.console import Console

from livecaptions.client.display import Display, JsonLines
from livecaptions.client.publisher import Event


def caption(utterance: int, text: str, **more: Any) -> Event:  # noqa: ANN401 - the protocol's own
    event = {
        "type": "caption", "track": "main", "speaker": None, "utterance": utterance, "pass": "live", "revision": 1,
        "final": False, "language": "en", "start": 1.0, "end": 2.0, "started_at": "2026-11-23T17:58:03.120Z",
        "text": text, "stable": 0,
    }  # fmt: skip
    return event | more


def final(utterance: int, text: str, **more: Any) -> Event:  # noqa: ANN401 - the protocol's own
    return caption(utterance, text, final=True, revision=9, **more)


def shown(*events: Event, terminal: bool = False, subtitles: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=60, color_system="standard" if terminal else None)
    with Display(console, subtitles=subtitles) as display:
        for event in events:
            display.show(event)
        return out.getvalue()


def test_without_a_terminal_finals_are_plain_lines() -> None:
    long = "word " * 30 + "end"
    out = shown({"type": "ready"}, caption(1, "half"), final(1, long), final(2, ""), final(3, "More.", speaker="Ada"))
    assert out.splitlines() == [long, "Ada", "More."]


def test_late_and_repeated_versions_are_passed_over() -> None:
    out = shown(final(1, "right"), caption(1, "late", revision=3), final(1, "right"))
    assert out.splitlines() == ["right"]
    edited = shown(final(1, "rihgt"), final(1, "right") | {"pass": "edited", "revision": 1})
    assert edited.splitlines() == ["rihgt", "right"]


def test_a_server_that_counts_from_the_beginning_again_is_heard() -> None:
    later = "2026-11-23T18:30:00.000Z"
    out = shown(final(1, "before"), {"type": "gap", "from": 8, "to": 0}, final(1, "after", started_at=later))
    assert out.splitlines() == ["before", "(some of what was said is no longer kept)", "after"]


def test_what_happens_is_said() -> None:
    out = shown(
        {"type": "reconnecting", "reason": "connection closed (1001)"},
        {"type": "restarted"},
        {"type": "track", "track": "main", "speaker": "Ada", "state": "ended"},
        {"type": "track", "track": "main", "speaker": "Ada", "state": "live"},
    )
    assert out.splitlines() == [
        "(reconnecting: connection closed (1001))",
        "(the server forgot the session: going on in a new one)",
        "(Ada ended)",
    ]


def test_in_a_terminal_partials_are_shown_in_two_kinds() -> None:
    out = shown(caption(1, "So the log", stable=2), terminal=True)
    assert "\x1b[1mSo the\x1b[0m" in out
    assert "\x1b[2m log\x1b[0m" in out


def test_subtitles_in_a_terminal_hold_two_lines() -> None:
    texts = [final(n, f"sentence number {n}") for n in range(5)]
    last = shown(*texts, terminal=True, subtitles=True).rsplit("\x1b[2K", 1)[-1]
    assert "number 3" in last
    assert "number 4" in last
    assert "number 2" not in last


def test_json_lines_carry_their_arrival() -> None:
    out = io.StringIO()
    with JsonLines(out, lambda: 1.23456) as screen:
        screen.show({"type": "caption", "text": "Grüße"})
    assert out.getvalue() == '{"at": 1.235, "type": "caption", "text": "Grüße"}\n'
    assert json.loads(out.getvalue())["at"] == 1.235
