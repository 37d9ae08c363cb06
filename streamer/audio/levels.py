"""Whether sound is there, and neither clipped nor too quiet; asked of each second of a stream."""

from math import inf

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm
from captions.audio_warnings import AudioWarning, AudioWarnings, WarningCode

SILENT_RANGE = 8
"""Between the lowest and the highest sample of a second that is silent: a converter's last bits."""

SILENT_SECONDS = 10

CLIPPED_FROM, CLIPPED_SHARE, CLIPPED_SECONDS = 32_000, 0.002, 3
"""Of 32768: from where on neighbours that are the same are cut off; the share of a second's that may be; seconds that
have more before it is said."""

TOO_QUIET, SPOKEN_RANGE, JUDGED_SECONDS = 104.0, 2.0, 10
"""Root mean square of 32768, -50 dBFS, that no second reaches in so many that are not silent; how many times as loud as
the quietest the loudest of them is where somebody speaks."""


class Levels:
    """Hears the samples of one stream at 16 kHz and warns of what is wrong with their level."""

    def __init__(self, warnings: AudioWarnings) -> None:
        self._warnings = warnings
        self._pieces: list[Pcm] = []
        self._size = 0
        self._silent = self._clipped = self._judged = 0
        self._loudest, self._quietest = 0.0, inf

    def add(self, pcm: Pcm) -> None:
        """The next samples, shape (any,)."""
        self._pieces.append(pcm)
        self._size += len(pcm)
        if self._size < SAMPLE_RATE:
            return
        whole = np.concatenate(self._pieces)
        seconds = len(whole) // SAMPLE_RATE
        for second in whole[: seconds * SAMPLE_RATE].reshape(seconds, SAMPLE_RATE):
            self._judge(second)
        self._pieces, self._size = [whole[seconds * SAMPLE_RATE :]], len(whole) - seconds * SAMPLE_RATE

    def muted(self) -> None:
        """The publisher says that it is silent on purpose."""
        self._silent = 0

    def _judge(self, second: Pcm) -> None:
        low, high = int(second.min()), int(second.max())
        if high - low <= SILENT_RANGE:
            self._silent += 1
            if self._silent == SILENT_SECONDS:
                self._warn(
                    WarningCode.SILENCE,
                    f"{SILENT_SECONDS} seconds of silence came. Is the microphone on, and the right one?",
                )
            return
        self._silent = 0
        if max(high, -low) >= CLIPPED_FROM:
            self._judge_clipping(second)
        level_here = float(np.std(second))
        self._loudest, self._quietest = max(self._loudest, level_here), min(self._quietest, level_here)
        self._judged += 1
        if self._judged == JUDGED_SECONDS:
            if SPOKEN_RANGE * self._quietest < self._loudest < TOO_QUIET:
                level = round(20 * np.log10(self._loudest / 32768))
                self._warn(
                    WarningCode.TOO_QUIET,
                    f"The sound is very quiet, {level} dB of full scale. Turn the microphone up, or go nearer to it.",
                )
            self._judged, self._loudest, self._quietest = 0, 0.0, inf

    def _judge_clipping(self, second: Pcm) -> None:
        loud = np.abs(second[1:].astype(np.int32)) >= CLIPPED_FROM
        cut_off = np.count_nonzero(loud & (second[1:] == second[:-1]))
        self._clipped += int(cut_off > CLIPPED_SHARE * len(second))
        if self._clipped == CLIPPED_SECONDS:
            self._warn(
                WarningCode.CLIPPING,
                "The sound is too loud and cut off. Turn the microphone down, or go further away.",
            )

    def _warn(self, code: WarningCode, message: str) -> None:
        self._warnings.add(AudioWarning(code, message))
