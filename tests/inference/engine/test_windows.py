from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inference.engine.windows import (
    FULL_FRAMES,
    WhisperSettings,
    audio_frames,
    final_tail_states,
    is_short,
    rounded_final_states,
    tail_states,
    window_frames,
)

SAMPLES = st.integers(1, 30 * 16_000)
SETTINGS = st.builds(
    WhisperSettings,
    zeros=st.floats(0, 3),
    short=st.floats(0, 2),
    short_zeros=st.floats(3, 10),
    tail=st.none() | st.floats(0, 3),
    step=st.sampled_from([0.02, 0.1, 0.4, 0.5, 0.8, 1.0]),
)


@given(SAMPLES, SETTINGS, st.sampled_from([80, 128]))
def test_a_window_holds_its_audio_and_never_looks_like_the_other_kind_of_input(
    samples: int, settings: WhisperSettings, n_mels: int
) -> None:
    frames = window_frames(samples, n_mels, settings)
    tail = tail_states(frames, settings)
    assert frames % 2 == 0
    assert audio_frames(samples) <= frames <= FULL_FRAMES
    assert frames / 2 + tail <= FULL_FRAMES / 2
    assert frames not in (n_mels, 2 * n_mels)
    assert frames // 2 + tail != n_mels


@given(SAMPLES, SAMPLES, SETTINGS)
def test_longer_audio_never_has_a_shorter_window(one: int, other: int, settings: WhisperSettings) -> None:
    one, other = sorted((one, other))
    assume(is_short(one, settings) == is_short(other, settings))
    assert window_frames(one, 80, settings) <= window_frames(other, 80, settings)


def test_windows_come_in_few_lengths_so_that_requests_share_them() -> None:
    settings = WhisperSettings(zeros=2.0, tail=2.0, step=0.5, short=0.0)
    lengths = {window_frames(n, 80, settings) for n in range(1, 20 * 16_000, 100)}
    assert lengths == {*range(250, 2250, 50)}


def test_short_audio_has_more_zeros_and_windows_of_one_length() -> None:
    settings = WhisperSettings(zeros=2.0, tail=2.0, step=0.5, short=1.6, short_zeros=8.0)
    assert {window_frames(n, 80, settings) for n in range(1, 25_601, 100)} == {1000}
    assert window_frames(25_601, 80, settings) == 400


def test_a_window_without_room_for_its_tail_is_the_full_one() -> None:
    settings = WhisperSettings(zeros=2.0, tail=2.0, step=0.5)
    assert window_frames(25 * 16_000, 80, settings) == 2700
    assert window_frames(26 * 16_000, 80, settings) == FULL_FRAMES
    assert tail_states(FULL_FRAMES, settings) == 0


@given(SAMPLES)
def test_a_final_is_lengthened_to_whole_steps_by_its_tail_alone(samples: int) -> None:
    settings = WhisperSettings(tail=2.0, search_step=3.0)
    frames = window_frames(samples, 80, settings)
    searched = frames // 2 + final_tail_states(frames, settings)
    assert searched % 150 == 0
    assert 0 <= searched - frames // 2 - tail_states(frames, settings) < 150
    assert searched <= FULL_FRAMES // 2


@pytest.mark.parametrize(("tail", "states"), [(None, 1250), (2.0, 100), (0.0, 0)])
def test_how_much_silence_is_appended(tail: float | None, states: int) -> None:
    assert tail_states(500, WhisperSettings(tail=tail)) == states


@given(SAMPLES, SETTINGS)
def test_finals_have_the_windows_of_partials_or_more_silence(samples: int, settings: WhisperSettings) -> None:
    settings = replace(settings, final_zeros=8.0, final_tail=None)
    assert replace(settings, final_window="short").of_finals().zeros == settings.zeros
    finals = replace(settings, final_window="long").of_finals()
    frames = window_frames(samples, 80, finals)
    assert frames >= window_frames(samples, 80, settings)
    assert frames // 2 + final_tail_states(frames, finals) == FULL_FRAMES // 2


@given(SAMPLES, st.sampled_from([None, 0.0, 2.0]))
def test_finals_come_in_whole_search_steps(samples: int, tail: float | None) -> None:
    settings = WhisperSettings(zeros=2.0, tail=tail, search_step=1.5)
    frames = window_frames(samples, 80, settings)
    rounded = rounded_final_states(frames, settings)
    assert rounded >= frames // 2
    assert rounded - frames // 2 < 75
    if tail is None and rounded < FULL_FRAMES // 2:
        assert rounded % 75 == 0
