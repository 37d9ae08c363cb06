"""Checks each second of a stream for silence, clipping and low level."""

from math import inf

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm
from captions.audio_warnings import AudioWarning, AudioWarnings, WarningCode

SILENT_RANGE = 8
"""The largest difference between samples of a silent second: the noise of a converter's last bits."""

SILENT_SECONDS = 10

CLIPPED_FROM, CLIPPED_SHARE, CLIPPED_SECONDS = 32_000, 0.002, 3
"""Equal neighbouring samples from this level (of 32768) on are clipped. A second with more than this share of them is
clipped, and after so many clipped seconds there is a warning."""

TOO_QUIET, SPOKEN_RANGE, JUDGED_SECONDS = 104.0, 2.0, 10
"""Sound is too quiet if no second reaches this root mean square (of 32768; -50 dBFS). It is checked for so many seconds
that are not silent. In speech, the loudest of them is at least so many times as loud as the quietest."""


class Levels:
    """Checks the samples of one stream at 16 kHz, and adds warnings about their level."""

    def __init__(self, warnings: AudioWarnings) -> None:
        self._warnings = warnings
        self._pieces: list[Pcm] = []
        self._size = 0
        self._silent = self._clipped = self._judged = 0
        self._loudest, self._quietest = 0.0, inf

    def add(self, pcm: Pcm) -> None:
        """Check the next samples, shape (any,)."""
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
        """Record that the publisher is silent on purpose."""
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
