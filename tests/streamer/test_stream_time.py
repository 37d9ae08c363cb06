"""When samples were spoken, with pauses and bursts between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.sessions.stream_time import LATE, StreamTime


def hear(time: StreamTime, *, since: float, wall: float, seconds: float) -> float:
    """Let frames of 0.1 s arrive in real time. Returns the stream time after them."""
    for frame in range(1, round(seconds * 10) + 1):
        time.arrived(since + frame / 10, wall + frame / 10)
    return since + seconds


def test_the_first_sample_counts_from_when_it_came() -> None:
    time = StreamTime(100.0)
    hear(time, since=0, wall=105, seconds=2)
    assert time.origin == pytest.approx(105)


def test_a_pause_moves_what_follows() -> None:
    time = StreamTime(100.0)
    at = hear(time, since=0, wall=100, seconds=2)
    hear(time, since=at, wall=110, seconds=2)
    assert time.origin == pytest.approx(108)


def test_what_was_held_up_and_comes_in_a_burst_is_no_pause_for_long() -> None:
    time = StreamTime(100.0)
    at = hear(time, since=0, wall=100, seconds=2)
    for frame in range(1, 51):
        time.arrived(at + frame / 10, 107)
    hear(time, since=at + 5, wall=107, seconds=1)
    assert time.origin == pytest.approx(100)


def test_what_was_kept_while_the_publisher_was_away_is_no_pause() -> None:
    time = StreamTime(100.0)
    at = hear(time, since=0, wall=100, seconds=2)
    time.resumed(112)
    for frame in range(1, 101):
        time.arrived(at + frame / 10, 112 + frame / 100)
    assert time.origin == pytest.approx(100)


def test_audio_that_was_lost_while_the_publisher_was_away_is_one() -> None:
    time = StreamTime(100.0)
    at = hear(time, since=0, wall=100, seconds=2)
    time.resumed(112)
    hear(time, since=at, wall=112, seconds=3)
    assert time.origin == pytest.approx(110)


def test_a_file_sent_fast_keeps_the_time_of_its_first_sample() -> None:
    time = StreamTime(100.0)
    for second in range(1, 100):
        time.arrived(float(second), 103 + second / 50)
    assert time.origin == pytest.approx(102.02)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 20)), max_size=30))
def test_no_sample_is_said_to_be_spoken_much_before_it_could_come_nor_after_it_came(
    frames: list[tuple[float, float]],
) -> None:
    time, at, wall = StreamTime(0.0), 0.0, 0.0
    for length, took in frames:
        at, wall = at + length, wall + took
        before = time.origin
        time.arrived(at, wall)
        assert time.origin >= 0
        assert time.origin + at >= wall - LATE - 1e-6 or time.origin < before
        assert time.origin + at <= wall + 1e-6 or time.origin <= before
