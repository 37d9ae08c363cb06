"""Sends audio in real time, and measures how late the sender itself was."""

import asyncio
from collections.abc import AsyncIterator

from bench.capacity.recordings import BYTES_PER_SECOND
from livecaptions.terminal.files import reframed


class Pace:
    """Yields ``audio`` in frames of ``frame`` seconds, each when its last sample would have been spoken.

    ``began`` is the loop's time of the first sample. ``late`` lists the delays of frames, in seconds, that this process
    caused. ``held`` is the longest delay, in seconds, that the receiver caused by not reading.
    """

    def __init__(self, audio: bytes, frame: float) -> None:
        self._audio = audio
        self._frame_bytes = round(frame * BYTES_PER_SECOND) // 2 * 2
        self.began: float | None = None
        self.sent = 0.0
        self.late: list[float] = []
        self.held = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the first sample."""
        return 0.0 if self.began is None else asyncio.get_running_loop().time() - self.began

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield the audio from now on. May be called only once."""
        loop = asyncio.get_running_loop()
        self.began = loop.time()
        for frame in reframed(iter([self._audio]), self._frame_bytes):
            due = self.began + self.sent + len(frame) / BYTES_PER_SECOND
            asked = loop.time()
            await asyncio.sleep(due - asked)
            self.late.append(max(0.0, loop.time() - max(due, asked)))
            self.held = max(self.held, asked - due)
            yield frame
            self.sent += len(frame) / BYTES_PER_SECOND
