"""Checks from the first seconds of sound whether a raw stream has the format that its publisher declared."""

from collections import Counter

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm
from captions.audio_warnings import AudioWarning, AudioWarnings, WarningCode
from captions.stream_options import AudioFormat
from streamer.audio.readings import other_reading, sounds_slow
from streamer.audio.samples import BYTES

WINDOW = 2.0
"""Seconds of sound in one window that is checked."""

WINDOWS = 12
"""Windows that are checked. The format does not change later."""

AGREEING = 2
"""Windows that have to agree before there is a warning."""

LEAST_VALUES = 16
"""The least number of different bytes in a piece with sound. Silence has fewer."""

LEAST_PEAK = 300
"""The least peak, of 32768. Quieter pieces do not show the sample rate."""

HIGHER_RATE = "audio of a higher sample rate"
ADVICE = {
    "float32": "declare encoding=float32",
    "linear16": "declare encoding=linear16",
    "mulaw": "declare encoding=mulaw",
    "alaw": "declare encoding=alaw",
    "stereo": "declare channels=2",
    "mono": "declare channels=1",
    "big-endian linear16": "send the lower byte of each sample first",
    HIGHER_RATE: "declare the sample_rate that it has, 44100 or 48000 for instance",
}


class Declaration:
    """Checks the bytes and samples of one stream, and adds a warning if they sound like another format."""

    def __init__(self, audio: AudioFormat, warnings: AudioWarnings) -> None:
        self._audio = audio
        self._warnings = warnings
        self._bytes_per_window = round(WINDOW * audio.sample_rate) * BYTES[audio.encoding] * audio.channels
        self._raw: list[bytes] = []
        self._sound: list[Pcm] = []
        self._raw_size = self._sound_size = 0
        self._raw_left = self._sound_left = WINDOWS
        self._votes: Counter[str] = Counter()

    def add_bytes(self, data: bytes) -> None:
        """Check the next bytes as they were sent; whole samples only."""
        if not self._raw_left or len(set(data[:512])) < LEAST_VALUES:
            return
        self._raw.append(data)
        self._raw_size += len(data)
        if self._raw_size >= self._bytes_per_window:
            self._judge_bytes()

    def add_samples(self, pcm: Pcm) -> None:
        """Check the next decoded samples at 16 kHz, shape (samples,)."""
        if not self._sound_left or not len(pcm) or max(pcm.max(), -int(pcm.min())) < LEAST_PEAK:
            return
        self._sound.append(pcm)
        self._sound_size += len(pcm)
        if self._sound_size >= WINDOW * SAMPLE_RATE:
            self._judge_sound()

    def finish(self) -> None:
        """End the stream: check the last window if at least half of it is there."""
        if self._raw_left and self._raw_size * 2 >= self._bytes_per_window:
            self._judge_bytes()
        if self._sound_left and self._sound_size * 2 >= WINDOW * SAMPLE_RATE:
            self._judge_sound()
        if len(self._votes) == 1 and WINDOWS - min(self._raw_left, self._sound_left) <= AGREEING:
            self._warn(next(iter(self._votes)))

    def _judge_bytes(self) -> None:
        data, self._raw, self._raw_size = b"".join(self._raw), [], 0
        self._raw_left -= 1
        self._vote(other_reading(self._audio, data))

    def _judge_sound(self) -> None:
        pcm, self._sound, self._sound_size = np.concatenate(self._sound), [], 0
        self._sound_left -= 1
        self._vote(HIGHER_RATE if sounds_slow(pcm) else None)

    def _vote(self, sounds_like: str | None) -> None:
        if sounds_like is None:
            return
        self._votes[sounds_like] += 1
        if self._votes[sounds_like] >= AGREEING:
            self._warn(sounds_like)
            self._raw_left = self._sound_left = 0
            self._raw, self._sound = [], []

    def _warn(self, sounds_like: str) -> None:
        declared = f"{self._audio.encoding} at {self._audio.sample_rate} Hz with {self._audio.channels} channel(s)"
        self._warnings.add(
            AudioWarning(
                WarningCode.WRONG_DECLARATION,
                f"This sounds like {sounds_like}, and was declared as {declared}: captions will be wrong or missing. "
                f"To mend it, {ADVICE[sounds_like]}.",
            )
        )
