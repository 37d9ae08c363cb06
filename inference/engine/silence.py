"""The silence tail: what the decoder sees behind a short window.

Whisper is trained on 30 s and learns to stop from the silence that fills them up; behind a bare short window it
loops. The encoder need not run on that silence again and again: its states hardly depend on the speech before,
so those of 30 s of pure silence, at the same positions, are encoded once and appended (docs/windows.md).
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np

from inference.engine.features import Floats, loudest, silence_level
from inference.engine.windows import FULL_FRAMES

LEVELS_PER_DECADE = 4
"""Silence is the floor of a window's own range, so it is kept for several loudnesses: steps of log10 of power.

The nearest is taken: states of two levels mixed were no better, and are states that no silence has.
"""

_KEPT = 64  # levels; speech uses about 10


class SilenceTail:
    """Encoded silence of one model. Safe for use by several threads.

    ``encode`` turns features of shape (1, n_mels, 3000) into states of shape (1, 1500, width). Only the last
    ``kept`` states of each level are remembered.
    """

    def __init__(self, encode: Callable[[Floats], Floats], n_mels: int, *, kept: int = FULL_FRAMES // 2) -> None:
        self._encode = encode
        self._n_mels = n_mels
        self._kept = kept
        self._levels: OrderedDict[int, Floats] = OrderedDict()
        self._lock = Lock()

    def behind(self, mel: Floats, states: int) -> Floats:
        """The last ``states`` states of 30 s of silence at the loudness of ``mel``, shape (states, width)."""
        return self._at(round(loudest(mel) * LEVELS_PER_DECADE))[self._kept - states :]

    def prepare(self, levels: range) -> None:
        """Encode these levels now (log10 of power, times ``LEVELS_PER_DECADE``), so that no caption waits for them."""
        for level in levels:
            self._at(level)

    def _at(self, level: int) -> Floats:
        with self._lock:
            known = self._levels.get(level)
            if known is None:
                silence = np.full(
                    (1, self._n_mels, FULL_FRAMES), silence_level(level / LEVELS_PER_DECADE), dtype=np.float32
                )
                known = self._encode(silence)[0, FULL_FRAMES // 2 - self._kept :].copy()
                self._levels[level] = known
                if len(self._levels) > _KEPT:
                    self._levels.popitem(last=False)
            else:
                self._levels.move_to_end(level)
            return known
