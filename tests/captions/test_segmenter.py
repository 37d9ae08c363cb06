from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from captions.audio import Pcm, to_samples
from captions.audio_window import quietest
from captions.errors import SetupError
from captions.segmenter import Piece, Segmenter, SegmenterSettings

FRAME = 320


def noise(seconds: float, seed: int = 0) -> Pcm:
    return np.random.default_rng(seed).integers(-3000, 3000, to_samples(seconds)).astype(np.int16)


def cut(pcm: Pcm, speech: list[tuple[float, float]], **settings: float) -> tuple[Segmenter, list[Piece]]:
    """Segment ``pcm``; ``speech`` has the begin and end of each stretch of speech in seconds."""
    segmenter = Segmenter(SegmenterSettings(**settings), FRAME)
    pieces: list[Piece] = []
    for at in range(0, len(pcm) - FRAME + 1, FRAME):
        middle = (at + FRAME / 2) / 16_000
        probability = float(any(start <= middle < end for start, end in speech))
        pieces += segmenter.push(pcm[at : at + FRAME], probability)
    return segmenter, pieces


def utterances(pieces: list[Piece]) -> dict[int, tuple[int, int, Pcm, str | None]]:
    """Start, end, audio and reason of each utterance; checks that its pieces are contiguous."""
    found: dict[int, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.utterance, []).append(piece)
    result = {}
    for number, of in found.items():
        assert [piece.number for piece in of] == list(range(len(of)))
        assert [piece.last for piece in of[:-1]] == [False] * (len(of) - 1)
        at = of[0].start
        for piece in of:
            assert piece.start == at
            at += len(piece.pcm)
        end = of[-1].end if of[-1].end is not None else at
        audio = np.concatenate([piece.pcm for piece in of])[: end - of[0].start]
        result[number] = (of[0].start, end, audio, of[-1].reason)
    return result


def test_speech_becomes_an_utterance_with_pre_roll_and_post_roll() -> None:
    pcm = noise(4)
    _, pieces = cut(pcm, [(1.0, 2.0)])
    ((start, end, audio, reason),) = utterances(pieces).values()
    assert start == to_samples(0.75)
    assert end == to_samples(2.2)
    assert reason == "endpoint"
    assert np.array_equal(audio, pcm[start:end])


def test_a_click_opens_nothing() -> None:
    assert cut(noise(2), [(1.0, 1.06)])[1] == []


def test_a_short_pause_ends_nothing_and_its_audio_is_sent() -> None:
    pcm = noise(5)
    _, pieces = cut(pcm, [(1.0, 2.0), (2.4, 3.0)])
    ((start, end, audio, _),) = utterances(pieces).values()
    assert np.array_equal(audio, pcm[start:end])
    assert end == to_samples(3.2)


def test_a_pause_sends_what_is_there() -> None:
    pcm = noise(2.16)
    _, pieces = cut(pcm, [(1.0, 2.06)])
    sent = pieces[-1].start + len(pieces[-1].pcm)
    assert sent >= to_samples(2.06)
    assert not pieces[-1].last


def test_silence_held_back_belongs_to_the_next_pre_roll() -> None:
    pcm = noise(5)
    _, pieces = cut(pcm, [(1.0, 2.0), (2.6, 4.0)], endpoint=0.5)
    first, second = utterances(pieces).values()
    assert first[1] == to_samples(2.2)
    assert second[0] == to_samples(2.35)
    assert second[0] >= first[1]


def test_a_long_utterance_is_cut_at_its_quietest_point_and_goes_on_there() -> None:
    pcm = noise(30)
    hush = to_samples(17.3)
    pcm[hush - 1600 : hush + 1600] //= 50
    _, pieces = cut(pcm, [(1.0, 26.0)])
    first, second = utterances(pieces).values()
    assert first[3] == "longest"
    assert abs(first[1] - hush) <= 1600
    assert second[0] == first[1]
    assert np.array_equal(first[2], pcm[first[0] : first[1]])
    assert np.array_equal(second[2], pcm[second[0] : second[1]])


def test_a_long_utterance_ends_at_a_shorter_pause() -> None:
    pcm = noise(30)
    _, pieces = cut(pcm, [(1.0, 4.0), (4.36, 14.0), (14.36, 18.0)])
    first, second = utterances(pieces).values()
    assert first[1] == to_samples(14.2)
    assert second[0] <= to_samples(14.36)


def test_an_utterance_that_grows_too_long_in_a_pause_ends_there_and_opens_nothing() -> None:
    pcm = noise(30)
    pcm[to_samples(20.6) : to_samples(20.75)] = 0
    _, pieces = cut(pcm, [(1.0, 20.6)])
    ((start, end, audio, reason),) = utterances(pieces).values()
    assert reason == "longest"
    assert end == to_samples(20.76)
    assert np.array_equal(audio, pcm[start:end])


def test_speech_after_finalize_goes_on_at_the_next_sample() -> None:
    pcm = noise(4)
    segmenter, pieces = cut(pcm[: to_samples(2)], [(1.0, 9.0)])
    pieces += segmenter.finalize("finalize")
    for at in range(to_samples(2), len(pcm) - FRAME + 1, FRAME):
        pieces += segmenter.push(pcm[at : at + FRAME], 1.0)
    first, second = utterances(pieces + segmenter.finalize("end")).values()
    assert second[0] == first[1] == to_samples(2)
    assert np.array_equal(second[2], pcm[to_samples(2) :])


def test_a_doubtful_frame_neither_opens_nor_ends() -> None:
    doubt = 0.3
    segmenter = Segmenter(SegmenterSettings(), FRAME)
    assert [piece for _ in range(100) for piece in segmenter.push(noise(0.02), doubt)] == []
    for _ in range(10):
        segmenter.push(noise(0.02), 0.9)
    assert segmenter.open
    for _ in range(100):
        segmenter.push(noise(0.02), doubt)
    assert segmenter.open


def test_in_silence_all_but_the_pre_roll_is_settled() -> None:
    segmenter, _ = cut(noise(5), [])
    assert segmenter.position - segmenter.settled == to_samples(0.25)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"onset": 0.2}, "offset <= onset"),
        ({"offset": 0.0}, "offset <= onset"),
        ({"endpoint": 0.0}, "endpoint"),
        ({"segment": -0.2}, "segment"),
        ({"pre_roll": -1.0}, "pre_roll"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, float], named: str) -> None:
    with pytest.raises(SetupError, match=named):
        SegmenterSettings(**settings)


def test_finalize_ends_what_is_open_and_nothing_else() -> None:
    segmenter, pieces = cut(noise(2), [(1.0, 2.0)])
    assert segmenter.open
    assert segmenter.next_utterance == 1
    pieces += segmenter.finalize("finalize")
    assert pieces[-1].reason == "finalize"
    assert utterances(pieces)[0][1] == to_samples(2.0)
    assert segmenter.finalize("end") == []


def test_flush_sends_without_ending() -> None:
    segmenter, pieces = cut(noise(1.5), [(1.0, 2.0)])
    pieces += segmenter.flush()
    assert segmenter.open
    assert segmenter.settled == segmenter.position
    pieces += segmenter.push(noise(0.02), 1.0)
    utterances(pieces + segmenter.finalize("end"))


def test_numbers_and_positions_go_on_from_what_was_before() -> None:
    segmenter = Segmenter(SegmenterSettings(), FRAME, first_utterance=7, origin=to_samples(100))
    pieces = [p for _ in range(50) for p in segmenter.push(noise(0.02), 1.0)] + segmenter.finalize("end")
    assert {piece.utterance for piece in pieces} == {7}
    assert pieces[0].start == to_samples(100)


@settings(max_examples=60, deadline=None)
@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 120)), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
    longest=st.sampled_from([1.0, 2.5, 6.0]),
)
@example(runs=[(True, 5), (False, 10), (True, 1), (False, 5)], seed=0, longest=1.0)
def test_whatever_is_said_the_pieces_add_up(runs: list[tuple[bool, int]], seed: int, longest: float) -> None:
    frames = [speech for speech, count in runs for _ in range(count)]
    pcm = noise(len(frames) * 0.02, seed)
    segmenter = Segmenter(SegmenterSettings(longest=longest, cut_within=2.0), FRAME)
    pieces: list[Piece] = []
    settled = earliest = 0
    for number, speech in enumerate(frames):
        new = segmenter.push(pcm[number * FRAME : (number + 1) * FRAME], float(speech))
        assert not new or segmenter.position >= earliest
        pieces += new
        earliest = max(0 if new else earliest, segmenter.position + segmenter.samples_until_next_piece)
        assert settled <= segmenter.settled <= segmenter.position
        settled = segmenter.settled
    pieces += segmenter.finalize("end")
    before = 0
    for start, end, audio, _ in utterances(pieces).values():
        assert before <= start < end <= len(pcm)
        assert np.array_equal(audio, pcm[start:end])
        assert end - start <= to_samples(longest) + FRAME
        before = end


@settings(max_examples=60, deadline=None)
@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=12),
    segment=st.sampled_from([0.1, 0.2, 0.4]),
    flush_after=st.sampled_from([0.05, 0.09, 0.3]),  # the post-roll ends after 0.2 s
    flushes=st.sets(st.integers(0, 400), max_size=4),
)
@example(runs=[(True, 40), (False, 4), (True, 10)], segment=0.1, flush_after=0.09, flushes={35})
def test_a_piece_is_paused_where_the_speaker_paused_at_its_end_and_only_there(
    runs: list[tuple[bool, int]], segment: float, flush_after: float, flushes: set[int]
) -> None:
    segmenter = Segmenter(SegmenterSettings(segment=segment, flush_after=flush_after, longest=4.0), FRAME)
    frames = [speech for speech, count in runs for _ in range(count)]
    pause = 0
    for number, speech in enumerate(frames):
        pause = 0 if speech else pause + FRAME
        pushed = segmenter.push(noise(0.02, number), float(speech))
        flushed = segmenter.flush() if number in flushes else []
        for pieces in (pushed, flushed):
            for piece, following in pairwise(pieces):
                assert not piece.paused or following.last, "more of the utterance came in the same frame"
            if pieces:
                assert pieces[-1].paused == (pause >= to_samples(min(flush_after, 0.2)))
        cut = any(piece.reason == "longest" for piece in pushed)
        if pushed and not cut and not pushed[-1].paused and not pushed[-1].last:
            assert len(pushed[-1].pcm) == to_samples(segment), "only a pause makes a piece shorter"


def test_what_is_sent_of_speech_before_it_is_whole_is_no_pause() -> None:
    segmenter, pieces = cut(noise(1.54), [(1.0, 9.0)])
    (flushed,) = segmenter.flush()
    assert 0 < len(flushed.pcm) < to_samples(0.2)
    assert not any(piece.paused for piece in (*pieces, flushed, *segmenter.finalize("finalize")))


def test_the_pieces_before_and_at_the_endpoint_are_paused() -> None:
    _, pieces = cut(noise(4), [(1.0, 2.0)])
    assert [piece.paused for piece in pieces].count(True) == 3, "after 0.1 s, at the post-roll's end, at the endpoint"
    assert all(piece.paused for piece in pieces[-3:])


def test_the_quietest_point_is_the_middle_of_the_least_energy() -> None:
    pcm = noise(5)
    pcm[40_000:42_000] = 0
    assert 40_800 <= quietest(pcm) <= 41_200
    assert quietest(pcm[:100]) == 50
