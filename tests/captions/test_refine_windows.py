"""Windows of the second pass: the same for everybody who reads the log, and every word in one utterance."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.audio import to_samples
from captions.refine_windows import (
    SILENCE,
    STRIDE,
    Layout,
    Span,
    WindowSettings,
    begins_stretch,
    ends_window,
    runs,
    windows,
)
from captions.words import Word

SETTINGS = WindowSettings()


@st.composite
def tracks(draw: st.DrawFn, most: int = 20) -> list[Span]:
    """Utterances of a track, spoken in real time or sent as a file, muted now and then, cut now and then."""
    speed = draw(st.sampled_from([1.0, 50.0]))
    number, position, wall = draw(st.integers(0, 3 * STRIDE)), 0, 1e9
    spans = []
    for _ in range(draw(st.integers(1, most))):
        gap = to_samples(draw(st.sampled_from([0.0, 0.3, 1.0, 2.9, 3.1, 20.0, 70.0])))
        length = to_samples(draw(st.floats(0.3, 20.0)))
        muted = draw(st.sampled_from([0.0, 0.0, 0.0, 5.0, 100.0]))
        cut = draw(st.sampled_from([0, 0, 0, 16_000]))
        start, began = position + gap, wall + gap / 16_000 / speed + muted
        ended = began + length / 16_000 / speed
        spans.append(
            Span(number=number, start=start, end=start + length, sent=start + length + cut, began=began, ended=ended)
        )
        number, position, wall = number + 1, start + length, ended
    return spans


settings = st.builds(
    WindowSettings,
    longest=st.sampled_from([20.0, 28.0]),
    reach=st.sampled_from([5.0, 30.0]),
    kept=st.sampled_from([0.0, 0.5, 2.0]),
)


@given(tracks(), settings)
def test_every_utterance_is_in_one_window_in_order(spans: list[Span], settings: WindowSettings) -> None:
    found = windows(spans, settings)
    assert [span for window in found for span in window] == spans
    for window in found:
        assert len(window) == 1 or Layout(window, settings).samples <= to_samples(settings.longest)
        assert len(window) == 1 or window[-1].end - window[0].end <= to_samples(settings.reach)
        for before, after in pairwise(window):
            assert after.start - before.end <= to_samples(settings.pause)
            assert after.began - before.ended <= settings.quiet


@given(tracks(), st.data())
def test_whoever_begins_at_a_stretch_finds_the_same_windows(spans: list[Span], data: st.DataObject) -> None:
    starts = [0, *(i for i in range(1, len(spans)) if begins_stretch(spans[i], spans[i - 1]))]
    start = data.draw(st.sampled_from(starts))
    rest = windows(spans[start:], SETTINGS)
    assert rest == windows(spans, SETTINGS)[-len(rest) :]


@given(tracks())
def test_a_stretch_has_16_utterances_at_most(spans: list[Span]) -> None:
    length = 0
    for before, span in pairwise([None, *spans]):
        assert span is not None
        length = 1 if begins_stretch(span, before) else length + 1
        assert length <= STRIDE
        assert before is None or begins_stretch(span, before) or span.began - before.ended <= SILENCE


@given(tracks(most=8), st.floats(0.0, 1.0))
def test_what_ends_a_window_while_it_grows_ends_it_in_the_end(spans: list[Span], share: float) -> None:
    *before, span = spans
    so_far = span.start + int(share * (span.sent - span.start))
    growing = replace(span, end=so_far, sent=so_far)
    if before and ends_window(window := windows(before, SETTINGS)[-1], growing, SETTINGS):
        assert ends_window(window, span, SETTINGS)


@given(tracks(most=3), settings)
def test_the_audio_of_each_utterance_is_where_the_layout_says(spans: list[Span], settings: WindowSettings) -> None:
    layout = Layout(spans, settings)
    pcms = [np.full(span.end - span.start, i + 1, dtype=np.int16) for i, span in enumerate(spans)]
    audio = layout.audio(pcms)
    assert len(audio) == layout.samples
    for i, (start, end) in enumerate(zip(layout.starts, layout.ends, strict=True)):
        assert (audio[start:end] == i + 1).all()
    assert np.count_nonzero(audio) == sum(map(len, pcms))
    for before, after in zip(layout.ends, layout.starts[1:], strict=False):
        assert 0 <= after - before <= to_samples(settings.kept)


@given(tracks(most=6), st.lists(st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 3.0), st.booleans()), max_size=40))
def test_every_word_is_in_one_share_in_order(spans: list[Span], times: list[tuple[float, float, bool]]) -> None:
    layout = Layout(spans, SETTINGS)
    words = [
        Word(str(i), start, start + length, 0.5) if timed else Word(str(i))
        for i, (start, length, timed) in enumerate(sorted(times))
    ]
    shares = layout.shares(words)
    assert [word.text for share in shares for word in share] == [word.text for word in words]
    for span, share in zip(spans, shares, strict=True):
        for word in share:
            assert (
                word.start is None or 0.0 <= word.start <= (word.end or 0.0) <= (span.end - span.start) / 16_000 + 0.001
            )


def two() -> Layout:
    """Two utterances of two seconds, with half a second between them."""
    first = Span(number=0, start=0, end=32_000, sent=32_000, began=0.0, ended=2.0)
    return Layout([first, replace(first, number=1, start=48_000, end=80_000, sent=80_000)], SETTINGS)


def test_a_word_belongs_where_it_begins() -> None:
    words = [Word("a", 0.0, 0.4), Word("last", 1.7, 2.5), Word("first", 2.1, 2.9), Word("b", 2.9, 3.1)]
    first, second = two().shares(words)
    assert first == (Word("a", 0.0, 0.4), Word("last", 1.7, 2.0))
    assert second == (Word("first", 0.0, 0.4), Word("b", 0.4, 0.6))


def test_a_word_that_begins_in_the_pause_belongs_to_the_next_utterance() -> None:
    first, second = two().shares([Word("x", 2.05, 2.15), Word("y", 2.35, 2.45)])
    assert first == ()
    assert [word.text for word in second] == ["x", "y"]


@pytest.mark.parametrize(
    ("last", "end", "start"), [(Word("it.", 14.08, 15.06), 14.37, 14.56), (Word("conference.", 4.24, 5.00), 4.48, 4.64)]
)
def test_a_last_word_that_reaches_over_the_pause_stays(last: Word, end: float, start: float) -> None:
    """Times that Whisper gave for the last word of a sentence, and between which the utterances' pause was."""
    first = Span(number=0, start=0, end=to_samples(end), sent=to_samples(end), began=0.0, ended=end)
    second = replace(first, number=1, start=to_samples(start), end=to_samples(20.0), sent=to_samples(20.0))
    share, after = Layout([first, second], SETTINGS).shares([last, Word("And", 15.1, 15.3)])
    assert [word.text for word in share] == [last.text]
    assert [word.text for word in after] == ["And"]


def test_a_window_has_one_session() -> None:
    first = Span(number=0, start=0, end=32_000, sent=32_000, began=0.0, ended=2.0, alike="one")
    second = replace(first, number=1, start=48_000, end=80_000, sent=80_000, began=2.5, ended=4.5)
    other = replace(second, alike="two")
    assert windows([first, second], SETTINGS) == [[first, second]]
    assert windows([first, other], SETTINGS) == [[first], [other]]


def test_a_window_is_cut_where_the_language_changes() -> None:
    cut = [range(3), range(3, 5), range(5, 6)]
    assert runs([None, "de", "de-CH", "en", None, "de"]) == cut
    assert runs([None, None]) == [range(2)]


def test_a_long_silence_or_the_16th_utterance_begins_a_stretch() -> None:
    span = Span(number=3, start=0, end=1, sent=1, began=100.0, ended=101.0)
    assert not begins_stretch(span, None)
    assert begins_stretch(replace(span, number=2 * STRIDE), None)
    assert not begins_stretch(replace(span, number=4, began=101.0 + SILENCE), span)
    assert begins_stretch(replace(span, number=4, began=102.0 + SILENCE), span)
    assert begins_stretch(replace(span, number=STRIDE + 1), span)
