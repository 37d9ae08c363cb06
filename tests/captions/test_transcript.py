import random

from hypothesis import given
from hypothesis import strategies as st

from captions.caption import Pass, Version
from captions.messages import CaptionMessage, TrackMessage
from captions.transcript import RoomState, in_order_spoken
from tests.captions.messages import caption


def test_a_newer_version_replaces_and_an_older_or_equal_one_is_no_news() -> None:
    state = RoomState()
    assert state.apply(caption(revision=3))
    assert not state.apply(caption(revision=3))
    assert not state.apply(caption(revision=2))
    assert state.apply(caption(revision=4, final=True, seq=1))
    assert not state.apply(caption(revision=9))
    assert state.apply(caption(revision=1, pass_="refined", final=True, seq=5))
    assert not state.apply(caption(revision=9, final=True, seq=6))
    assert state.finals("main") == {0}


def test_a_partial_of_an_utterance_that_has_its_final_is_no_news_even_if_withdrawn() -> None:
    state = RoomState()
    state.apply(caption(revision=2))
    state.apply(caption(revision=3, final=True, text="", seq=1))
    assert not state.apply(caption(revision=2))
    assert not state.apply(caption(revision=4))
    assert state.finals("main") == {0}


def test_a_transcript_is_in_the_order_it_was_spoken() -> None:
    said = [
        caption(utterance=1, start=5.0, final=True, seq=1),
        caption(utterance=0, start=1.0, final=True, seq=2),
        caption(utterance=0, track="other", start=3.0, final=True, seq=3),
    ]
    assert [(c.track, c.utterance) for c in in_order_spoken(said)] == [("main", 0), ("other", 0), ("main", 1)]


def test_what_is_forgotten_is_news_again_and_a_track_counts_on_until_it_is_forgotten() -> None:
    state = RoomState()
    state.apply(TrackMessage(room="hall", track="main", state="ended", seq=2))
    state.apply(caption(utterance=4, revision=3, final=True, seq=1))
    state.forget("main", 4)
    assert state.finals("main") == set()
    assert state.last_utterance("main") is not None
    assert state.apply(caption(utterance=4, revision=3, final=True, seq=9))
    state.forget("main", None)
    assert state.tracks == []
    assert state.last_utterance("main") is None


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
    assert last.number == 4
    assert state.last_utterance("other") is None


@given(st.integers(0, 10_000))
def test_events_fold_to_the_same_in_any_order_and_any_number(seed: int) -> None:
    rng = random.Random(seed)
    events: list[CaptionMessage] = [caption(utterance=u, revision=r) for u in range(3) for r in range(1, 4)]
    events += [caption(utterance=u, revision=4, final=True, seq=10 + u, text=f"final {u}") for u in range(3)]
    shuffled = events + rng.choices(events, k=6)
    rng.shuffle(shuffled)
    state = RoomState()
    news = [event for event in shuffled if state.apply(event)]
    assert [event for event in news if event.final] == [event for event in dict.fromkeys(shuffled) if event.final]
    for utterance in range(3):
        told = [event.version for event in news if event.utterance == utterance]
        assert told == sorted(set(told))
        assert told[-1] == Version(Pass.LIVE, 4)
