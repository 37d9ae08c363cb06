"""A room's history for late viewers."""

import json
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, Protocol, State

from captions.messages import RoomEvent, TrackMessage
from streamer.rooms import history as module
from streamer.rooms.event import Encoded
from streamer.rooms.frames import text_frames
from streamer.rooms.history import Block, History, StoredEvent, stored_event
from tests.captions.messages import caption


def keep(history: History, event: RoomEvent, seq: int) -> None:
    event = event.model_copy(update={"seq": seq})
    history.add(stored_event(event, seq, float(seq), Encoded(event).json))


def filled(*texts: str) -> History:
    history = History()
    for utterance, text in enumerate(texts):
        keep(history, caption(utterance=utterance, final=True, text=text), utterance + 1)
    return history


def whole(history: History) -> list[Block]:
    return history.replay(after=None, last=None, tracks=())


def seqs(blocks: list[Block]) -> list[int]:
    return [event.seq for block in blocks for event in block.events]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 1000)


def test_everybody_is_handed_the_same_bytes() -> None:
    history = filled(*(f"number {n}" for n in range(20)))
    first, second = whole(history), whole(history)
    assert len(first) > 3
    assert [block.frames for block in first] == [block.frames for block in second]
    assert all(one.frames is other.frames for one, other in zip(first, second, strict=True))
    late = history.replay(after=1, last=None, tracks=())
    assert all(one.frames is other.frames for one, other in zip(first[1:], late[1:], strict=True))


def test_a_block_in_hand_does_not_change_while_more_is_said() -> None:
    history = filled("one", "two")
    blocks = whole(history)
    keep(history, caption(utterance=2, final=True, text="three"), 3)
    keep(history, caption(utterance=0, final=True, pass_="refined", text="One."), 4)
    assert seqs(blocks) == [1, 2]
    assert seqs(whole(history)) == [2, 3, 4]


def test_frames_are_a_text_frame_for_each_message() -> None:
    texts = ["short", "word " * 50, "word " * 20_000, "größer 字幕"]
    data = text_frames(json.dumps({"text": text}, ensure_ascii=False).encode() for text in texts)
    client = Protocol(CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(data)
    frames = [event for event in client.events_received() if isinstance(event, Frame)]
    assert [json.loads(bytes(frame.data))["text"] for frame in frames] == texts
    assert {frame.opcode for frame in frames} == {Opcode.TEXT}


def test_the_last_finals_come_with_every_tracks_state() -> None:
    history = History()
    keep(history, TrackMessage(room="hall", track="main", state="live"), 1)
    for utterance in range(30):
        keep(history, caption(utterance=utterance, final=True, text=f"number {utterance}"), utterance + 2)
    keep(history, caption(utterance=30, final=True, text=""), 32)
    assert seqs(history.replay(after=None, last=3, tracks=())) == [1, 29, 30, 31]
    assert seqs(history.replay(after=None, last=0, tracks=())) == [1]
    assert seqs(history.replay(after=None, last=99, tracks=())) == [*range(1, 32)]
    assert seqs(history.replay(after=None, last=3, tracks=("other",))) == []
    assert seqs(history.replay(after=29, last=1, tracks=())) == [30, 31, 32], "who resumes misses nothing"


def test_finals_are_paged_backwards() -> None:
    history = filled(*(f"number {n}" for n in range(50)), "")
    pages: list[list[int]] = []
    before: int | None = None
    while page := history.finals(before=before, last=20):
        pages.append([event.seq for event in page])
        before = page[0].seq
    assert pages == [[*range(31, 51)], [*range(11, 31)], [*range(1, 11)]]


def test_what_is_forgotten_is_gone_and_tracks_that_go_on_stay() -> None:
    history = History()
    keep(history, TrackMessage(room="hall", track="main", state="live"), 1)
    keep(history, TrackMessage(room="hall", track="gone", state="ended"), 2)
    for utterance in range(30):
        keep(history, caption(utterance=utterance, final=True), utterance + 3)
    heavy = history.weight
    gone = history.forget(20)
    assert [event.seq for event in gone] == [*range(2, 20)]
    assert seqs(whole(history)) == [1, *range(20, 33)]
    assert history.earliest == 20
    assert history.weight < heavy * 0.6
    assert history.forget(20) == []
    keep(history, TrackMessage(room="hall", track="main", state="ended"), 40)
    assert seqs(whole(history)) == [*range(20, 33), 40]


@pytest.mark.parametrize("behind", [3, 40, 400])
def test_a_history_of_changed_captions_is_no_longer_than_one_of_finals(behind: int) -> None:
    """However far behind the second pass is, and however often it changes a caption."""
    finals = 400
    plain, changed = History(), History()
    seqs_of = iter(range(100_000))
    for number in range(finals + behind):
        if number < finals:
            keep(plain, caption(utterance=number, final=True, text=f"number {number:03}"), number)
            keep(changed, caption(utterance=number, final=True, text=f"number {number:03}"), next(seqs_of))
        for revision in (1, 2):
            again = caption(
                utterance=number - behind, final=True, pass_="refined", revision=revision, text="figure 777"
            )
            if 0 <= number - behind < finals and number % 5:
                keep(changed, again, next(seqs_of))
    assert len(changed.finals(before=None, last=None)) == finals
    assert changed.weight <= plain.weight * 1.05
    sizes = [sum(len(event.json) for event in block.events) for block in changed.blocks[:-1]]
    assert all(one + other > module.BLOCK_BYTES // 2 for one, other in pairwise(sizes)), "in pieces"
    assert len(seqs(whole(changed))) == len(set(seqs(whole(changed)))) == finals
    assert len(changed.forget(10**9)) == finals
    assert (changed.weight, changed.blocks) == (0, [])


def test_letting_go_gives_back_what_was_derived_and_nothing_else() -> None:
    history = filled(*(f"number {n}" for n in range(20)))
    before = whole(history)
    frames = b"".join(block.frames for block in before)
    history.release()
    after = whole(history)
    assert all("frames" not in vars(block) for block in after)
    assert b"".join(block.frames for block in after) == frames


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8), st.integers(0, 400)), max_size=60), st.data())
def test_whatever_is_kept_replaced_and_forgotten_a_list_says_the_same(
    said: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    history = History()
    plain: dict[tuple[str, int | None], StoredEvent] = {}
    for seq, (track, utterance, size) in enumerate(said, start=1):
        event = StoredEvent(seq, 0.0, track, utterance or None, withdrawn=size == 1, lasting=False, json=b"x" * size)
        plain.pop((track, event.utterance), None)
        plain[track, event.utterance] = event
        history.add(event)
        if data.draw(st.integers(0, 9)) == 0:
            cut = data.draw(st.integers(0, seq))
            history.forget(cut)
            plain = {key: kept for key, kept in plain.items() if kept.seq >= cut}
    events = [*plain.values()]
    assert seqs(history.blocks) == [event.seq for event in events]
    assert history.latest == (events[-1].seq if events else -1)
    after = data.draw(st.integers(0, len(said)))
    assert seqs(history.replay(after=after, last=None, tracks=())) == [e.seq for e in events if e.seq > after]
    last = data.draw(st.integers(0, 10))
    shown = [event for event in events if not event.withdrawn]
    left = accumulate((e.utterance is not None for e in reversed(shown)), initial=0)
    counted = zip(reversed(shown), left, strict=False)
    wanted = [e.seq for e, later in counted if e.utterance is None or later < last][::-1]
    assert seqs(history.replay(after=None, last=last, tracks=())) == wanted
    sizes = [len(block.events) for block in history.blocks]
    assert all(sizes)
