import io
import json
import re

from rich.console import Console

from livecaptions.terminal.display import Display, JsonLines
from livecaptions_client import Caption, Event
from livecaptions_client.events import reconnecting, restarted
from tests.client.messages import caption_message, caption_of, event_of


def caption(utterance: int, text: str, **more: object) -> Caption:
    return caption_of(text, utterance=utterance, **more)


def final(utterance: int, text: str, **more: object) -> Caption:
    return caption(utterance, text, **{"final": True, "revision": 9, **more})


def refined(utterance: int, text: str, **more: object) -> Caption:
    return final(utterance, text, **{"pass": "refined", "revision": 1, **more})


def shown(
    *events: Event, terminal: bool = False, subtitles: bool = False, so_far: bool = False, exits: bool = False
) -> str:
    """What is written for the events; with ``exits``, also at the end."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=terminal, width=60, height=20, color_system="standard" if terminal else None
    )
    with Display(console, subtitles=subtitles, so_far=so_far) as display:
        for event in events:
            display.show(event)
        written = out.getvalue()
    return out.getvalue() if exits else written


def screen_of(written: str) -> list[str]:
    """The lines that a terminal shows after what was written, without their styles."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", written):
        if part.startswith("\x1b"):
            row -= int(part[2:-1] or 1) if part.endswith("A") else 0
            lines[row] = "" if part.endswith("K") else lines[row]
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            column = 0
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines if line.strip()]


def test_without_a_terminal_finals_are_plain_lines() -> None:
    long = "word " * 30 + "end"
    out = shown(
        event_of({"type": "live"}), caption(1, "half"), final(1, long), final(2, ""), final(3, "More.", speaker="Ada")
    )
    assert out.splitlines() == [long, "Ada", "More."]


def test_late_and_repeated_versions_are_passed_over() -> None:
    out = shown(final(1, "right"), caption(1, "late", revision=3), final(1, "right"))
    assert out.splitlines() == ["right"]
    edited = shown(final(1, "rihgt"), final(1, "right", **{"pass": "edited", "revision": 1}))
    assert edited.splitlines() == ["rihgt", "right"]


def test_a_server_that_counts_from_the_beginning_again_is_heard() -> None:
    later = "2026-11-23T18:30:00.000Z"
    out = shown(final(1, "before"), event_of({"type": "gap", "from": 8, "to": 0}), final(1, "after", started_at=later))
    assert out.splitlines() == ["before", "(some earlier captions are no longer kept)", "after"]


def test_what_happens_is_said() -> None:
    out = shown(
        reconnecting("connection closed (1001)"),
        restarted(),
        event_of({"type": "warning", "code": "silence", "message": "10 seconds of silence came"}),
        event_of({"type": "track", "track": "main", "speaker": "Ada", "state": "ended"}),
        event_of({"type": "track", "track": "main", "speaker": "Ada", "state": "live"}),
    )
    assert out.splitlines() == [
        "(reconnecting: connection closed (1001))",
        "(the server no longer knows the session: continuing in a new one)",
        "(10 seconds of silence came)",
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


def test_json_lines_are_what_the_server_sent_and_when() -> None:
    out = io.StringIO()
    messages = [caption_message("Grüße", mood="new field"), {"type": "new", "list": [1]}]
    with JsonLines(out, lambda: 1.23456) as screen:
        for message in messages:
            screen.show(event_of(message))
    assert "Grüße" in out.getvalue()
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"at": 1.235, **message} for message in messages
    ]


DELETED = {"type": "deleted", "seq": 9, "room": "hall", "deleted_at": "2026-11-28T12:00:00.000Z"}


def test_a_deletion_is_said_and_clears_what_is_on_the_screen() -> None:
    assert shown(event_of(DELETED)).splitlines() == ["(what was said until now has been deleted)"]
    for subtitles in (False, True):
        out = shown(caption(1, "half a"), event_of(DELETED), caption(2, "new"), terminal=True, subtitles=subtitles)
        assert "half a" in out
        assert "half a" not in out[out.index("deleted") :]
        assert "new" in out


TRACK = event_of({"type": "track", "track": "main", "speaker": "Ada", "state": "ended"})


def test_without_a_terminal_the_second_pass_comes_too_late() -> None:
    assert shown(final(1, "the lock"), refined(1, "the log"), final(2, "Next.")).splitlines() == ["the lock", "Next."]


def test_a_terminal_shows_the_best_version_in_the_place_of_the_first() -> None:
    events = [final(1, "the lock", speaker="Ada"), final(2, "noise"), final(3, "Next."), caption(4, "half")]
    assert screen_of(shown(*events, terminal=True)) == ["Ada", "the lock", "noise", "Next.", "half"]
    better = [refined(1, "the log", speaker="Ada"), final(1, "the lock", speaker="Ada"), refined(2, "")]
    assert screen_of(shown(*events, *better, terminal=True)) == ["Ada", "the log", "Next.", "half"]
    assert screen_of(shown(*events, *better, terminal=True, exits=True)) == ["Ada", "the log", "Next."]


def test_what_has_left_the_screen_stays_as_it_is() -> None:
    texts = [final(n, f"sentence number {n}.") for n in range(40)]
    better = [refined(2, "Figure 2."), refined(39, "Figure 39.")]
    kept = [f"sentence number {n}." for n in range(39)]
    assert screen_of(shown(*texts, *better, terminal=True)) == [*kept, "Figure 39."]
    assert screen_of(shown(*texts, *better, terminal=True, exits=True)) == [*kept, "Figure 39."]


def test_news_come_below_what_was_said_before() -> None:
    events = [final(1, "the lock"), TRACK, refined(1, "the log"), final(2, "More.")]
    assert screen_of(shown(*events, terminal=True, exits=True)) == ["the lock", "(Ada ended)", "More."]


def test_the_room_so_far_is_read_in_the_order_that_was_spoken() -> None:
    at = "2026-11-23T18:30:0{}.000Z"
    said = [(1, "One"), (3, "three"), (4, "four")]
    live = [final(n, text, started_at=at.format(n)) for n, text in said]
    replay = [*live, TRACK, refined(2, "two", started_at=at.format(2)), event_of({"type": "live"})]
    for terminal in (False, True):
        assert screen_of(shown(*replay, terminal=terminal, so_far=True, exits=True)) == [
            "One", "two", "three", "four", "(Ada ended)",
        ]  # fmt: skip
    missed = refined(5, "five", started_at=at.format(5))
    lost = [reconnecting("lost"), final(6, "six", started_at=at.format(6)), missed, event_of({"type": "live"})]
    again = shown(*replay, *lost, so_far=True)
    assert again.splitlines()[-3:] == ["(reconnecting: lost)", "five", "six"]


def test_subtitles_neither_move_nor_come_back() -> None:
    at = "2026-11-23T18:30:{:02}.000Z"
    texts = [final(n, f"sentence number {n}", started_at=at.format(n)) for n in range(20)]
    better = [refined(n, f"quite another {n}", started_at=at.format(n)) for n in (1, 18, 19)]
    gone = [refined(19, "", revision=2, started_at=at.format(19)), refined(40, "unheard", started_at=at.format(3))]
    half = caption(20, "half", started_at=at.format(20))
    for more in ([], better, [*better, *gone]):
        last = shown(*texts, *more, terminal=True, subtitles=True).rsplit("\x1b[2K", 1)[-1]
        assert [f"sentence number {n}" in last for n in (17, 18, 19)] == [False, True, True]
        assert "another" not in last
    finished = shown(*texts, half, refined(20, "whole", started_at=at.format(20)), terminal=True, subtitles=True)
    assert "whole" in finished.rsplit("\x1b[2K", 1)[-1]
