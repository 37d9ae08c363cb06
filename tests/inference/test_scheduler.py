"""What is decoded next, and with whom, as a function of the utterances alone."""

from collections.abc import Hashable

import numpy as np

from captions.caption import CaptionId
from captions.records import AudioSegment
from captions.session import SessionSettings
from captions.track import RoomId
from inference.scheduler import Batch, Scheduler
from inference.settings import WorkerSettings
from inference.utterance import Utterance

SESSION = SessionSettings(session="s", origin=0.0, language="en")


def by_seconds(model: str | None, samples: int, *, final: bool) -> Hashable:
    """Windows of the same model and whole seconds go together, finals only with finals."""
    return model, final, samples // 16_000


SCHEDULER = Scheduler(WorkerSettings(max_batch=3), by_seconds)


def utterance(track: str, seconds: float, *, number: int = 0, last: bool = False, trimmed: float = 0.0) -> Utterance:
    made = Utterance(
        id=CaptionId(RoomId("hall").track(track), number),
        partition=0,
        first_offset=number,
        began=0,
        settings=SESSION,
        start=0,
        touched=0.0,
        window_start=round(trimmed * 16_000),
    )
    segment = AudioSegment(
        track=RoomId("hall").track(track),
        utterance=number,
        number=0,
        start=0,
        pcm=np.ones(round(seconds * 16_000), np.int16),
        offset=0,
        last=last,
        settings=SESSION,
    )
    made.append(segment, now=0.0, appended=float(number))
    return made


def tracks(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [chosen.id.track.name for chosen in batch.utterances]


def test_the_most_urgent_partial_takes_its_likes_along() -> None:
    waiting = [utterance("a", 2.1), utterance("b", 7.0), utterance("c", 2.9), utterance("d", 7.2)]
    assert tracks(SCHEDULER.next(waiting)) == ["d", "b"]


def test_decoders_with_nothing_to_do_share_what_waits() -> None:
    waiting = [utterance("a", 2.1), utterance("b", 2.2), utterance("c", 2.3)]
    first = SCHEDULER.next(waiting, decoders=2)
    assert tracks(first) == ["c", "b"]
    for chosen in waiting[1:]:
        chosen.decoding = True
    assert tracks(SCHEDULER.next(waiting, decoders=1)) == ["a"]
    ended = [utterance("a", 2.1, last=True), utterance("b", 2.2, last=True)]
    assert len(tracks(SCHEDULER.next(ended, decoders=2))) == 1


def test_a_window_that_was_trimmed_is_as_long_as_what_is_left() -> None:
    waiting = [utterance("a", 9.5, trimmed=7.0), utterance("b", 2.5), utterance("c", 9.4)]
    assert tracks(SCHEDULER.next(waiting)) == ["a", "b"]


def test_a_batch_has_its_limit() -> None:
    assert tracks(SCHEDULER.next([utterance(track, 2.5) for track in "abcde"])) == ["a", "b", "c"]


def test_finals_go_first_the_oldest_with_its_likes() -> None:
    waiting = [
        utterance("a", 9.0),
        utterance("b", 4.0, number=2, last=True),
        utterance("c", 3.0, number=1, last=True),
        utterance("d", 3.0, number=3, last=True),
    ]
    batch = SCHEDULER.next(waiting)
    assert (tracks(batch), batch is not None and batch.final) == (["c", "d"], True)


def test_a_track_waits_while_its_final_is_decoded() -> None:
    finishing, following = utterance("a", 3.0, last=True), utterance("a", 3.0, number=1, last=True)
    other = utterance("b", 3.0)
    finishing.decoding = True
    assert tracks(SCHEDULER.next([finishing, following, other])) == ["b"]
    other.decoding = True
    assert SCHEDULER.next([finishing, following, other]) is None
