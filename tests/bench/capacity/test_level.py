import math

import pytest

from bench.capacity.level import Level, Sender, StreamResult, Used, summed_up
from bench.capacity.peers.transcript import Transcript
from bench.capacity.recordings import BYTES_PER_SECOND, Recording
from bench.capacity.systems import Received
from captions.quality import Arrival
from livecaptions.talk import ReferenceWord
from tests.captions.messages import caption

SAID = Recording(
    "said",
    b"\0" * (4 * BYTES_PER_SECOND),
    [ReferenceWord("So", 1.0, 1.2), ReferenceWord("the", 1.3, 1.4), ReferenceWord("log", 1.5, 2.0)],
)


def received(*arrivals: Arrival) -> Received:
    shown = list(arrivals)
    return Received(shown, shown)


def level_of(*spoken: StreamResult, used: Used | None = None) -> Level:
    return summed_up("livecaptions", spoken, used or Used(None, None), Sender(0.1, 0.0), seconds=4.0)


QUICK = received(
    Arrival(1.4, caption(revision=1, text="So")),
    Arrival(2.1, caption(revision=2, text="So the log", final=True)),
)
SLOW = received(
    Arrival(3.0, caption(revision=1, text="So they")),
    Arrival(4.0, caption(revision=2, text="So the dog", final=True)),
)


def test_streams_are_told_together() -> None:
    level = level_of(StreamResult(SAID, QUICK), StreamResult(SAID, SLOW), used=Used(2.0, 1000))
    assert (level.streams, level.words) == (2, 6)
    assert level.word_error_rate == pytest.approx(1 / 6)
    assert level.word_shown.p95 == pytest.approx(2.6)  # "the" of the slow one
    assert level.final.p95 == pytest.approx(1.3)  # 4.0, after "dog" is said to end at 2.2 and half a second
    assert level.erasure == pytest.approx(1 / 6)  # "they" taken back, of six words
    assert level.cpu_seconds == pytest.approx(0.25)
    assert level.cores == pytest.approx(0.5)
    assert level.memory == 1000


def test_erasure_weighs_streams_by_their_words() -> None:
    short = received(
        Arrival(1.4, caption(revision=1, text="No")),
        Arrival(2.1, caption(revision=2, text="So", final=True)),
    )
    assert level_of(StreamResult(SAID, QUICK), StreamResult(SAID, short)).erasure == pytest.approx(1 / 4)


def test_what_is_not_known_is_none_and_failures_are_kept() -> None:
    level = level_of(StreamResult(SAID, Received(), "refused"), StreamResult(SAID, QUICK))
    assert level.cpu_seconds is level.cores is level.memory is None
    assert level.failures == ("refused",)
    assert level.word_error_rate == pytest.approx(0.5)


def test_a_peer_has_finals_of_its_own_and_no_first_partials() -> None:
    peer = Received()
    transcript = Transcript(peer)
    transcript.take(1.5, "", "So the")
    transcript.take(2.4, "So the", "lock")
    transcript.take(3.4, "So the log", "")
    transcript.finish()
    level = summed_up("peer", [StreamResult(SAID, peer)], Used(None, None), Sender(0.1, 0.0), seconds=4.0)
    assert level.word_error_rate == 0
    assert level.word_shown.p95 == pytest.approx(1.4)
    assert level.final.p50 == pytest.approx(0.5)  # "So the" stood at 2.4; "log" at 3.4, 0.9 after its endpoint
    assert level.final.p95 == pytest.approx(0.9)
    assert level.first_partial.p50 != level.first_partial.p50
    assert level.erasure == pytest.approx(1 / 3)


def test_nonsense_is_told_by_its_times() -> None:
    babble = received(
        Arrival(1.9, caption(revision=1, start=0.8, text="Never lose a word of it")),
        Arrival(3.0, caption(revision=2, start=1.4, text="Never lose a word of it", final=True)),
        Arrival(3.2, caption(utterance=1, revision=1, start=2.9, text="Never lose", final=True)),
    )
    level = level_of(StreamResult(SAID, babble))
    assert level.word_shown.p50 != level.word_shown.p50
    assert level.first_partial.p50 == pytest.approx(0.9)
    assert level.final.p50 == pytest.approx(0.5)  # 3.0, after "log" ended at 2.0 and half a second


def test_silence_is_all_wrong_and_has_no_times() -> None:
    level = level_of(StreamResult(SAID, Received(), "refused"), StreamResult(SAID, received(), "refused"))
    assert level.word_error_rate == 1
    assert math.isnan(level.final.p50)
    assert math.isnan(level.erasure)
