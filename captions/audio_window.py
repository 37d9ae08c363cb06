"""The most recent audio of a stream, and the quietest point in it."""

from collections import deque

import numpy as np

from captions.audio import NO_AUDIO, Pcm


class AudioWindow:
    """Frames of audio from position ``start`` on, in samples. The caller drops what it no longer needs."""

    def __init__(self, start: int) -> None:
        self.start = self._end = start
        self._frames: deque[Pcm] = deque()

    def append(self, frame: Pcm) -> None:
        """Add the next frame, shape (samples,)."""
        self._frames.append(frame)
        self._end += len(frame)

    def drop_before(self, position: int) -> None:
        """Drop the samples before ``position``."""
        while self._frames and self.start + len(self._frames[0]) <= position:
            self.start += len(self._frames.popleft())
        if self._frames and self.start < position:
            self._frames[0] = self._frames[0][position - self.start :]
            self.start = position

    def between(self, start: int, end: int) -> Pcm:
        """The samples from position ``start`` up to ``end``, shape (samples,); fewer if the window lacks some."""
        parts, at = [], self._end
        for frame in reversed(self._frames):  # callers mostly need the latest frames
            if at <= start:
                break
            at -= len(frame)
            if at < end:
                parts.append(frame[max(0, start - at) : end - at])
        return np.concatenate(parts[::-1]) if parts else NO_AUDIO


def quietest(pcm: Pcm, *, window: int = 1600, hop: int = 160) -> int:
    """The middle of the ``window`` samples with the least energy, as an index into ``pcm`` of shape (samples,).

    Looks at every ``hop`` samples, and returns the earliest of equals. Computes with integers, so that every machine
    finds the same sample.
    """
    if len(pcm) <= window:
        return len(pcm) // 2
    energy = np.concatenate(([0], np.cumsum(pcm.astype(np.int64) ** 2)))
    starts = np.arange(0, len(pcm) - window + 1, hop)
    return int(starts[np.argmin(energy[starts + window] - energy[starts])]) + window // 2
