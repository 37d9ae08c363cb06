"""Two gateways that both believe they hold one session: only the records of the later claim count."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions import fencing
from captions.audio import NO_AUDIO
from captions.fencing import Fence
from captions.ports.log import Entry
from captions.records import AUDIO, AudioMark, AudioSegment, read_audio, write_audio, write_mark
from captions.session import SessionSettings
from captions.track import RoomId, TrackId

SETTINGS = SessionSettings(session="s1", origin=0.0, language="en")
MAIN, OTHER = RoomId("hall").track("main"), RoomId("hall").track("other")


def segment(track: TrackId = MAIN, *, epoch: int | None) -> AudioSegment:
    return AudioSegment(
        track=track, utterance=0, number=0, start=0, pcm=NO_AUDIO, offset=0, settings=SETTINGS, epoch=epoch
    )


def mark(track: TrackId = MAIN, *, epoch: int | None, claim: bool = False, supersedes: int | None = None) -> AudioMark:
    return AudioMark(
        track=track,
        utterance=0,
        position=0,
        offset=0,
        settings=SETTINGS,
        claim=claim,
        supersedes=supersedes,
        epoch=epoch,
    )


class Partition:
    """A partition of the log, read through a fence. Records are encoded and decoded as on the log."""

    def __init__(self, first: int = 0) -> None:
        self.fence = Fence()
        self.end = first

    def admits(self, record: AudioSegment | AudioMark) -> bool:
        written = write_mark(record) if isinstance(record, AudioMark) else write_audio(record)
        entry = Entry(AUDIO, 0, self.end, 0.0, written)
        self.end += 1
        return self.fence.admits(entry, read_audio(written))


@dataclass
class Gateway:
    """A gateway that writes in the epoch of its latest claim, even if another gateway has claimed since."""

    epoch: int | None = None


STEPS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["claim", "segment", "mark"])), max_size=60)


@given(STEPS, st.integers(0, 2**40))
def test_in_any_order_the_records_of_the_latest_claim_count_and_no_others(
    steps: list[tuple[int, str]], first: int
) -> None:
    partition = Partition(first)
    gateways = Gateway(), Gateway()
    holder: int | None = None
    for number, kind in steps:
        gateway = gateways[number]
        if kind == "claim":
            epoch = partition.end
            assert partition.admits(mark(epoch=gateway.epoch, claim=True)), "a claim counts, its own epoch being later"
            gateway.epoch, holder = epoch, number
            continue
        record = segment(epoch=gateway.epoch) if kind == "segment" else mark(epoch=gateway.epoch)
        admitted = partition.admits(record)
        assert admitted == (gateway.epoch is None or number == holder)


TAKEOVERS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["read", "claim", "write"])), max_size=60)


@given(TAKEOVERS)
def test_of_several_that_take_a_session_over_at_once_the_first_claim_counts(steps: list[tuple[int, str]]) -> None:
    """Each gateway claims what it read before, and writes only if its claim counted: as ``Takeover.claim`` does."""
    partition = Partition()
    assert partition.admits(mark(epoch=None, claim=True))
    holder, epoch = None, 0
    read: dict[int, int] = {}
    own: dict[int, int] = {}
    for number, kind in steps:
        if kind == "read":
            read[number] = epoch
        elif kind == "claim" and number in read:
            offset, known = partition.end, read.pop(number)
            counted = partition.admits(mark(epoch=None, claim=True, supersedes=known))
            assert counted == (known == epoch)
            if counted:
                holder, epoch = number, offset
                own[number] = offset
        elif kind == "write" and number in own:
            assert partition.admits(segment(epoch=own[number])) == (number == holder)


def test_a_void_claim_changes_nothing() -> None:
    partition = Partition()
    assert partition.admits(mark(epoch=None, claim=True))
    assert partition.admits(mark(epoch=None, claim=True)), "a new session of the track"
    assert not partition.admits(mark(epoch=None, claim=True, supersedes=0)), "it would take over what is no more"
    assert partition.admits(segment(epoch=1))


def test_a_reader_that_begins_with_a_void_claim_learns_that_from_what_follows() -> None:
    partition = Partition(2)
    assert partition.admits(mark(epoch=None, claim=True, supersedes=0)), "nothing is known yet"
    assert partition.admits(segment(epoch=1)), "an epoch between the two: the claim was void"
    assert not partition.admits(segment(epoch=0))


def test_an_epoch_of_a_topic_that_was_made_anew_is_none() -> None:
    partition = Partition()
    assert partition.admits(segment(epoch=5000))
    assert partition.admits(mark(epoch=None, claim=True))
    assert partition.admits(segment(epoch=1))


@given(STEPS, st.data())
def test_admitted_are_those_of_the_highest_epoch_so_far(steps: list[tuple[int, str]], data: st.DataObject) -> None:
    partition = Partition(100)
    highest = -1
    for _ in steps:
        epoch = data.draw(st.none() | st.integers(0, 99))
        admitted = partition.admits(segment(epoch=epoch))
        assert admitted == (epoch is None or epoch >= highest)
        highest = max(highest, -1 if epoch is None else epoch)


@given(STEPS)
def test_records_without_an_epoch_always_count_and_change_nothing(steps: list[tuple[int, str]]) -> None:
    partition = Partition(1)
    held: int | None = None
    for number, kind in steps:
        if kind == "claim":
            held = partition.end
            assert partition.admits(mark(epoch=None, claim=True))
        elif number == 0:
            assert partition.admits(segment(epoch=None) if kind == "segment" else mark(epoch=None))
        elif held is not None:
            assert partition.admits(segment(epoch=held))
            assert not partition.admits(segment(epoch=held - 1))


def test_the_claim_of_one_track_does_not_touch_another() -> None:
    partition = Partition()
    assert partition.admits(mark(MAIN, epoch=None, claim=True))
    assert partition.admits(mark(OTHER, epoch=None, claim=True))
    assert partition.admits(segment(MAIN, epoch=0))
    assert partition.admits(segment(OTHER, epoch=1))
    assert not partition.admits(segment(OTHER, epoch=0))


def test_a_reader_that_begins_after_the_claim_learns_the_epoch_from_what_follows() -> None:
    partition = Partition(50)
    assert partition.admits(segment(epoch=7)), "of an earlier gateway, whose successor's records are still to come"
    assert partition.admits(segment(epoch=20))
    assert not partition.admits(segment(epoch=7))


def test_the_epochs_of_the_latest_tracks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fencing, "MAX_TRACKS", 2)
    partition = Partition(100)
    tracks = [RoomId("hall").track(name) for name in ("a", "b", "c")]
    for track in tracks:
        assert partition.admits(segment(track, epoch=9))
    assert partition.admits(segment(tracks[0], epoch=1)), "forgotten as the oldest"
    assert not partition.admits(segment(tracks[2], epoch=1))
