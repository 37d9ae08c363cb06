import io
import json

from rich.console import Console

from livecaptions.terminal.display import Display, JsonLines
from livecaptions_client import Caption, Event
from livecaptions_client.events import reconnecting, restarted
from tests.client.messages import caption_message, caption_of, event_of


def caption(utterance: int, text: str, **more: object) -> Caption:
    return caption_of(text, utterance=utterance, **more)


def final(utterance: int, text: str, **more: object) -> Caption:
    return caption(utterance, text, **{"final": True, "revision": 9, **more})


def shown(*events: Event, terminal: bool = False, subtitles: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=60, color_system="standard" if terminal else None)
    with Display(console, subtitles=subtitles) as display:
        for event in events:
            display.show(event)
        return out.getvalue()


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
