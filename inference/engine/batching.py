"""How a batch is divided: which requests are encoded together, and which windows are searched together.

Pure arithmetic on lengths and settings: no audio, no model. Samples are at 16 kHz, frames are log-mel frames of 10 ms,
states are the encoder's, 20 ms each.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from captions.audio import SAMPLE_RATE
from inference.engine.windows import (
    FULL_FRAMES,
    STATES_PER_SECOND,
    WhisperSettings,
    final_tail_states,
    is_short,
    rounded_final_states,
    search_states,
    tail_states,
    window_frames,
)

LONGEST_TEXT = 224
"""Tokens of one text: half of Whisper's 448 positions."""

PARTIAL_SPREAD = 600
"""Frames by which the windows of partials may differ that are searched together; the shorter get longer tails."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What grouping needs to know of one window.

    ``samples`` is the length of its audio, ``frames`` that of the window, ``past`` the number of tokens before
    ``<|startoftranscript|>``. ``language`` is the model's code.
    """

    samples: int
    frames: int
    final: bool
    past: int = 0
    language: str = "en"


class Batching:
    """Groups the windows of one model, which has ``n_mels`` mel bands.

    A final's group depends on the final alone: its window, its tail and its cap are the same in every batch, so its
    text is too. A partial's tail may be longer, and its cap higher, where other partials share its search.
    """

    def __init__(self, settings: WhisperSettings, n_mels: int) -> None:
        self._partials = settings
        self._finals = settings.of_finals()
        self._n_mels = n_mels

    @property
    def longest_tail(self) -> int:
        """States of silence that a window needs at most, lengthened to fit its group; at most those of 30 s."""
        partial = tail_states(0, self._partials) + PARTIAL_SPREAD // 2 if self._partials.tail != 0 else 0
        final = tail_states(0, self._finals) + search_states(self._finals) if self._finals.tail != 0 else 0
        return min(FULL_FRAMES // 2, max(partial, final))

    def frames(self, samples: int, *, final: bool, full: bool = False) -> int:
        """The length of the window for so much audio, in frames; ``full`` asks for the full 30 s."""
        if full or (final and self._finals.final_window == "full"):
            return FULL_FRAMES
        return window_frames(samples, self._n_mels, self._finals if final else self._partials)

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        """The key of windows that are cheaply decoded together, by the length of their audio."""
        return self._length_key(self.frames(samples, final=final), final=final)

    def search_groups(self, windows: Sequence[Shape]) -> dict[Hashable, list[int]]:
        """The indices of windows that are searched together, by the key that they share."""
        return grouped([self._search_key(window) for window in windows])

    def tail(self, window: Shape) -> int:
        """States of silence appended to a window on its own."""
        if window.final:
            return final_tail_states(window.frames, self._finals)
        return tail_states(window.frames, self._partials)

    def states(self, windows: Sequence[Shape]) -> int:
        """States, tails included, that each window of one group is searched with."""
        return max(window.frames // 2 + self.tail(window) for window in windows)

    def cap(self, window: Shape) -> int:
        """The greatest number of tokens in the window's text.

        Fast English has 5 tokens a second, other languages up to three times that. Finals have room to show that they
        loop, and the same cap where they are searched together.
        """
        seconds = window.samples / SAMPLE_RATE
        if window.final and is_short(window.samples, self._finals):
            seconds = self._finals.short
        elif window.final:
            seconds = rounded_final_states(window.frames, self._finals) / STATES_PER_SECOND - self._finals.zeros
        floor, rate = (4, 6) if window.language == "en" and not window.final else (16, 16)
        return min(LONGEST_TEXT, floor + round(rate * seconds))

    def _search_key(self, window: Shape) -> Hashable:
        length = self._length_key(window.frames, final=window.final)
        return length, window.past, self.cap(window) if window.final else 0

    def _length_key(self, frames: int, *, final: bool) -> tuple[bool, int]:
        """Windows that share it can be made equally long with longer tails; finals that share it are equally long."""
        if frames == FULL_FRAMES:
            return final, frames
        if final:
            return final, rounded_final_states(frames, self._finals)
        return final, frames - frames % PARTIAL_SPREAD if self._partials.tail != 0 else frames


def grouped(keys: Sequence[Key]) -> dict[Key, list[int]]:
    """The indices of equal keys, in order."""
    groups: defaultdict[Key, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    return dict(groups)
