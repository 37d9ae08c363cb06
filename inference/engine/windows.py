"""What part of Whisper's 30 s is computed for an utterance: window lengths, from the request's audio alone."""

from dataclasses import dataclass, replace
from typing import Literal

from captions.audio import SAMPLE_RATE

HOP = 160
"""Samples of one log-mel frame; the encoder halves the frames."""

FULL_FRAMES = 3000
"""Log-mel frames of the 30 s that Whisper was trained on."""

FRAMES_PER_SECOND = SAMPLE_RATE // HOP

STATES_PER_SECOND = FRAMES_PER_SECOND // 2
"""Encoder states a second: the resolution of word times."""

FinalWindow = Literal["short", "long", "full"]
"""How much silence follows a final's audio: as a partial's, more, or all that fills 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperSettings:
    """How windows are cut and searched; the defaults are chosen in docs/windows.md.

    ``zeros`` are the seconds of digital silence after the audio, ``short_zeros`` those after audio of up to ``short``
    seconds: with fewer, single words are written twice. ``tail`` are the seconds of encoded silence appended (from the
    end of 30 s backwards; None: all from the window's end on; 0: none). Finals have ``final_zeros`` and ``final_tail``
    instead where ``final_window`` is "long", those of partials where it is "short", and are padded to 30 s where it is
    "full". ``step`` are the seconds to which windows are rounded up so that they can be encoded together,
    ``search_step`` those in which finals have one length, so that they can be searched together. ``gated`` takes a
    second look at doubtful finals: it decodes them again at the full 30 s, with ``second_look_beams``. Doubtful are
    finals that may be a loop, and those with a mean log-probability under ``doubtful``. ``beam_size`` is that of
    finals, ``partial_beam_size`` that of partials, ``unhurried_beam_size`` that of partials that nothing waits for.
    """

    zeros: float = 2.0
    final_zeros: float = 8.0
    short: float = 1.6
    short_zeros: float = 8.0
    tail: float | None = 2.0
    final_tail: float | None = None
    step: float = 0.5
    search_step: float = 1.5
    beam_size: int = 5
    partial_beam_size: int = 1
    unhurried_beam_size: int = 2
    final_window: FinalWindow = "long"
    gated: bool = True
    doubtful: float = -0.5
    second_look_beams: int = 5

    def of_finals(self) -> "WhisperSettings":
        """The same with the zeros and the tail of finals."""
        return self if self.final_window == "short" else replace(self, zeros=self.final_zeros, tail=self.final_tail)


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
    step = search_states(settings)
    longest = FULL_FRAMES // 2 - frames // 2
    return min(longest, -(-(frames // 2 + tail) // step) * step - frames // 2)


def rounded_final_states(frames: int, settings: WhisperSettings) -> int:
    """Encoder states of a final's window, lengthened to ``search_step`` as its tail lengthens it, without the tail.

    Finals for which it is the same can be searched together. A tail that reaches to 30 s makes all windows equally
    long, but not the greatest number of tokens in them, which follows this length.
    """
    if settings.tail is None:
        step = search_states(settings)
        return min(FULL_FRAMES // 2, -(-frames // (2 * step)) * step)
    return frames // 2 + final_tail_states(frames, settings) - tail_states(frames, settings)


def search_states(settings: WhisperSettings) -> int:
    """Encoder states of one ``search_step``."""
    return max(1, round(settings.search_step * STATES_PER_SECOND))


def _fixed_tail(settings: WhisperSettings) -> int:
    return 0 if settings.tail is None else round(settings.tail * FRAMES_PER_SECOND / 2)


REFINING = WhisperSettings(final_window="full", beam_size=5)
"""Those of the second pass: as Whisper's authors recommend, because nobody waits for it."""
