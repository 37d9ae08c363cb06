import random

from hypothesis import given
from hypothesis import strategies as st

from captions.messages import CaptionMessage, TrackMessage
from captions.transcript import RoomState
from tests.captions.messages import caption


def test_a_newer_version_replaces_and_an_older_or_equal_one_is_no_news() -> None:
    state = RoomState()
    assert state.apply(caption(revision=3))
    assert not state.apply(caption(revision=3))
    assert not state.apply(caption(revision=2))
    assert state.apply(caption(revision=4, final=True, seq=1))
    assert not state.apply(caption(revision=9))
    assert state.apply(caption(revision=1, by="refined", final=True, seq=5))
    assert not state.apply(caption(revision=9, final=True, seq=6))
    assert state.partials == []
    assert [final.seq for final in state.finals] == [5]


def test_a_withdrawn_utterance_is_known_and_not_in_the_transcript() -> None:
    state = RoomState()
    state.apply(caption(revision=2))
    state.apply(caption(revision=3, final=True, text="", seq=1))
    assert state.partials == []
    assert state.transcript() == []
    assert not state.apply(caption(revision=2))


def test_the_transcript_is_in_the_order_it_was_spoken() -> None:
    state = RoomState()
    state.apply(caption(utterance=1, start=5.0, final=True, seq=1))
    state.apply(caption(utterance=0, start=1.0, final=True, seq=2))
    state.apply(caption(utterance=0, track="other", start=3.0, final=True, seq=3))
    assert [(c.track, c.utterance) for c in state.transcript()] == [("main", 0), ("other", 0), ("main", 1)]
    assert [event.seq for event in state.history()] == [1, 2, 3]


def test_a_tracks_last_state_and_utterance_are_known() -> None:
    state = RoomState()
    assert state.apply(TrackMessage(room="hall", track="main", state="live", seq=1))
    assert state.apply(TrackMessage(room="hall", track="main", state="away", seq=4))
    assert not state.apply(TrackMessage(room="hall", track="main", state="live", seq=1))
    assert [track.state for track in state.tracks] == ["away"]
    state.apply(caption(utterance=4, revision=1))
    state.apply(caption(utterance=2, final=True, seq=9))
    last = state.last_utterance("main")
    assert last is not None
    assert last.utterance == 4
    assert state.last_utterance("other") is None


@given(st.integers(0, 10_000))
def test_events_fold_to_the_same_in_any_order_and_any_number(seed: int) -> None:
    rng = random.Random(seed)
    events: list[CaptionMessage] = [caption(utterance=u, revision=r) for u in range(3) for r in range(1, 4)]
    events += [caption(utterance=u, revision=4, final=True, seq=10 + u, text=f"final {u}") for u in range(3)]
    shuffled = events + rng.choices(events, k=6)
    rng.shuffle(shuffled)
    state = RoomState()
    for event in shuffled:
        state.apply(event)
    assert state.partials == []
    assert {final.utterance: final.text for final in state.finals} == {u: f"final {u}" for u in range(3)}
