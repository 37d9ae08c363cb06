"""What peers really sent, on a busy machine: the beginning of the talk, the same messages left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.capacity.peers.transcript import Transcript
from bench.capacity.peers.whisperlive import Segments
from bench.capacity.peers.whisperlivekit import texts_of
from bench.capacity.systems import Received

GREETING = "Good morning, everybody, and welcome to the second day of the conference."
SUBJECT = "My talk is about live captions, and about what it takes to keep them running when things go wrong."


def recorded(name: str) -> list[tuple[float, dict[str, Any]]]:
    """Messages and when they came."""
    return [(at, message) for at, message in json.loads(Path(__file__).with_name(name).read_text())]


def test_whisperlive_tells_segments_again_and_again() -> None:
    received, segments = Received(), Segments()
    transcript = Transcript(received)
    for at, message in recorded("whisperlive.json"):
        if "segments" in message:
            transcript.take(at, *segments.take(message["segments"]))
    transcript.finish()
    assert received.text == f"{GREETING} {SUBJECT} A caption is a promise."
    assert [(arrival.at, arrival.caption.text) for arrival in received.finals] == [(32.04, GREETING), (42.73, SUBJECT)]
    assert [arrival.at for arrival in received.shown] == [20.56, 32.04, 42.73, 42.73]
    assert received.shown[0].caption.text == "Good morning."
    assert [arrival.caption.final for arrival in received.shown] == [False, False, False, True]


def test_whisperlive_tells_only_the_last_segments() -> None:
    segments = Segments()
    completed = [
        {"start": f"{n}.000", "end": f"{n + 1}.000", "text": f" {word}", "completed": True}
        for n, word in enumerate(("one", "two", "three", "four"))
    ]
    assert segments.take(completed[:2]) == ("one two", "")
    assert segments.take([*completed[1:3], {"start": "3.000", "end": "4.000", "text": " for", "completed": False}]) == (
        "one two three",
        " for",
    )
    assert segments.take(completed[2:]) == ("one two three four", "")


def test_whisperlivekit_tells_everything_each_time() -> None:
    received = Received()
    transcript = Transcript(received)
    for at, message in recorded("whisperlivekit.json"):
        if "lines" in message:
            transcript.take(at, *texts_of(message))
    transcript.finish()
    assert received.text.startswith("Good morning. everybody. and welcome to the second day of the conference.")
    assert received.text.endswith("A caption is a promise.")
    assert [(arrival.at, arrival.caption.text) for arrival in received.finals[:3]] == [
        (29.9, "Good morning."),
        (43.69, "everybody."),
        (57.35, "and welcome to the second day of the conference."),
    ]
    assert [arrival.at for arrival in received.shown[:2]] == [
        23.47,
        37.5,
    ]  # text that moves into the lines is not new
    revisions = [arrival.caption.revision for arrival in received.shown]
    assert revisions == sorted(set(revisions))


def test_silent_lines_of_whisperlivekit_say_nothing() -> None:
    lines = [{"speaker": 1, "text": " So."}, {"speaker": -2, "text": None}, {"speaker": 1, "text": " Next."}]
    assert texts_of({"lines": lines, "buffer_transcription": " and"}) == ("So. Next.", " and")


def test_nothing_heard_is_an_empty_transcript() -> None:
    received = Received()
    transcript = Transcript(received)
    transcript.take(1.0, "", "")
    transcript.finish()
    assert (received.text, received.shown, received.finals) == ("", [], [])


@pytest.mark.parametrize("standing", ["So", "So the log"])
def test_what_stands_is_told_once(standing: str) -> None:
    received = Received()
    transcript = Transcript(received)
    for at in (1.0, 2.0, 3.0):
        transcript.take(at, standing, "is")
    assert [arrival.at for arrival in received.finals] == [1.0]
    assert len(received.shown) == 1
