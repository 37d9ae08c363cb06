"""How far behind a worker is, as a function of its utterances and the wall clock."""

from dataclasses import replace

import numpy as np
import pytest

from captions.caption import CaptionId
from captions.records import AudioSegment
from captions.session import SessionSettings
from captions.track import RoomId
from inference.behind import audio_behind
from inference.scheduler import Scheduler
from inference.settings import WorkerSettings
from inference.utterance import Utterance

ORIGIN = 1_764_000_000.0
SESSION = SessionSettings(session="s", origin=ORIGIN, language="en")
SEGMENT = 3200
SCHEDULER = Scheduler(WorkerSettings(partial_interval=0.3, first_partial=0.9), lambda *_, **__: None)


def utterance(
    segments: int, *, partition: int = 0, track: str = "main", late: float = 0.0, last: bool = False
) -> Utterance:
    """So many segments of 0.2 s, each on the log ``late`` after it was said."""
    made = Utterance(
        id=CaptionId(RoomId("hall").track(track), 0),
        partition=partition,
        first_offset=0,
        began=0,
        settings=SESSION,
        start=0,
        touched=0.0,
    )
    segment = AudioSegment(
        track=RoomId("hall").track(track),
        utterance=0,
        number=0,
        start=0,
        pcm=np.ones(SEGMENT, np.int16),
        offset=0,
        settings=SESSION,
    )
    for number in range(segments):
        appended = made.append(
            replace(segment, number=number, start=number * SEGMENT, last=last and number == segments - 1),
            now=0.0,
            appended=ORIGIN + 0.2 * (number + 1) + late,
        )
        assert appended
    return made


def behind(*utterances: Utterance, at: float, partitions: tuple[int, ...] = (0,)) -> dict[int, float]:
    return audio_behind(utterances, partitions, SCHEDULER.waits, ORIGIN + at)


def test_nothing_waits_where_nothing_was_said() -> None:
    assert behind(at=100.0, partitions=(0, 3)) == {0: 0.0, 3: 0.0}


def test_audio_that_is_due_is_as_old_as_its_first_segment_on_the_log() -> None:
    assert behind(utterance(5), at=1.5)[0] == pytest.approx(1.3)
    assert behind(utterance(5, late=1.0), at=2.5)[0] == pytest.approx(1.3)


def test_audio_that_is_not_due_yet_does_not_count() -> None:
    assert behind(utterance(4), at=60.0) == {0: 0.0}


def test_decoded_audio_waits_no_more_but_audio_that_is_being_decoded_does() -> None:
    made = utterance(7)
    made.decoding, made.decoded_samples = True, 5 * SEGMENT
    assert behind(made, at=2.0)[0] == pytest.approx(1.8)
    made.decoding = False
    made.decoded(made.decoded_samples)
    assert behind(made, at=2.0)[0] == pytest.approx(0.8)
    made.decoded(made.samples)
    made.decoded_samples = made.samples
    assert behind(made, at=2.0) == {0: 0.0}


def test_a_final_that_is_due_waits_since_its_last_segment() -> None:
    made = utterance(10, last=True)
    made.decoded(made.samples)
    assert behind(made, at=5.0)[0] == pytest.approx(3.0)


def test_a_final_that_is_due_waits_for_audio_that_was_not_decoded() -> None:
    assert behind(utterance(10, last=True), at=5.0)[0] == pytest.approx(4.8)


def test_an_orphan_waits_since_it_was_given_up() -> None:
    made = utterance(10)
    made.decoded(made.samples)
    made.give_up(ORIGIN + 20.0)
    assert behind(made, at=21.5)[0] == pytest.approx(1.5)


def test_each_partition_has_its_worst_and_foreign_ones_none() -> None:
    of = [utterance(5, track="a"), utterance(9, track="b", partition=1), utterance(6, late=0.5, track="c")]
    found = behind(*of, utterance(5, partition=7, track="d"), at=3.0, partitions=(0, 1, 2))
    assert found == {0: pytest.approx(2.8), 1: pytest.approx(2.8), 2: 0.0}


def test_a_publishers_constant_delay_and_mute_are_not_the_words() -> None:
    """A track that stood still for a minute, then a stall of 2 s inside its utterance."""
    made = utterance(3, late=60.0)
    assert made.spoken_at(0.5) == pytest.approx(ORIGIN + 60.5)
    stalled = AudioSegment(
        track=RoomId("hall").track("main"),
        utterance=0,
        number=3,
        start=3 * SEGMENT,
        pcm=np.ones(SEGMENT, np.int16),
        offset=0,
    )
    made.append(stalled, now=0.0, appended=ORIGIN + 62.8)
    assert made.spoken_at(0.7) == pytest.approx(ORIGIN + 60.7)
