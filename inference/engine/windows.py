"""What part of Whisper's 30 s is computed for an utterance: window lengths, from the request's audio alone."""

from dataclasses import dataclass
from typing import Literal

from captions.audio import SAMPLE_RATE

HOP = 160
"""Samples of one log-mel frame; the encoder halves the frames."""

FULL_FRAMES = 3000
"""Log-mel frames of the 30 s that Whisper was trained on."""

FRAMES_PER_SECOND = SAMPLE_RATE // HOP

STATES_PER_SECOND = FRAMES_PER_SECOND // 2
"""Encoder states a second: the resolution of word times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperSettings:
    """How windows are cut and searched; the defaults are chosen in docs/windows.md.

    ``zeros`` are the seconds of digital silence after the audio, ``short_zeros`` those after audio of up to ``short``
    seconds: with fewer, single words are written twice. ``tail`` are the seconds of encoded silence appended (from the
    end of 30 s backwards; None: all from the window's end on; 0: none), ``step`` the seconds to which windows are
    rounded up so that they can be encoded together, ``search_step`` those to which finals are then lengthened by more
    of the tail so that they can be searched together. ``final_window`` "full" pads finals to 30 s. ``beam_size`` is
    that of finals, ``partial_beam_size`` that of partials, ``unhurried_beam_size`` that of partials that nothing waits
    for. ``gated`` takes a second look at doubtful finals: it decodes them again at the full 30 s, with
    ``second_look_beams``. Doubtful are finals that may be a loop, and those with a mean log-probability under
    ``doubtful``.
    """

    zeros: float = 2.0
    short: float = 1.6
    short_zeros: float = 8.0
    tail: float | None = 2.0
    step: float = 0.5
    search_step: float = 1.5
    beam_size: int = 2
    partial_beam_size: int = 1
    unhurried_beam_size: int = 2
    final_window: Literal["short", "full"] = "short"
    gated: bool = True
    doubtful: float = -0.7
    second_look_beams: int = 5


def audio_frames(samples: int) -> int:
    """Log-mel frames that cover ``samples``, an even number."""
    return 2 * -(-samples // (2 * HOP))


def is_short(samples: int, settings: WhisperSettings) -> bool:
    """Whether so much audio gets the longer zeros of short windows."""
    return samples <= settings.short * SAMPLE_RATE


def window_frames(samples: int, n_mels: int, settings: WhisperSettings) -> int:
    """Log-mel frames of the short window for ``samples`` of audio: a multiple of the step, at most 3000.

    Short audio has windows of one length. A window that would leave no room for its tail within 30 s is the full one.
    CTranslate2 tells log-mel from encoder output by a dimension of ``n_mels``, so windows of n_mels or 2 * n_mels
    frames, or whose encoder output ends up n_mels frames long, are a step longer.
    """
    step = 2 * max(1, round(settings.step * FRAMES_PER_SECOND / 2))
    if is_short(samples, settings):
        least = round((settings.short + settings.short_zeros) * FRAMES_PER_SECOND)
    else:
        least = audio_frames(samples) + round(settings.zeros * FRAMES_PER_SECOND)
    frames = -(-least // step) * step
    while n_mels in (frames, frames // 2, frames // 2 + tail_states(frames, settings)):
        frames += step
    return frames if frames + 2 * _fixed_tail(settings) < FULL_FRAMES else FULL_FRAMES


def tail_states(frames: int, settings: WhisperSettings) -> int:
    """Encoder states of silence appended to a window of ``frames`` log-mel frames."""
    missing = (FULL_FRAMES - frames) // 2
    return missing if settings.tail is None else min(missing, _fixed_tail(settings))


def final_tail_states(frames: int, settings: WhisperSettings) -> int:
    """Encoder states of silence appended to a final's window: with them it is a multiple of ``search_step`` long.

    The length depends on the window's alone, so what a final says does not depend on those it is searched with.
    """
    tail = tail_states(frames, settings)
    if not settings.tail or frames == FULL_FRAMES:
        return tail
    step = max(1, round(settings.search_step * FRAMES_PER_SECOND / 2))
    longest = FULL_FRAMES // 2 - frames // 2
    return min(longest, -(-(frames // 2 + tail) // step) * step - frames // 2)


def _fixed_tail(settings: WhisperSettings) -> int:
    return 0 if settings.tail is None else round(settings.tail * FRAMES_PER_SECOND / 2)
