"""Audio that the client may have to send again."""

from collections import deque

UTTERANCE_END = b""
"""A marker in the queue of frames: the current utterance ends here."""


class Unacknowledged:
    """The frames after the last acknowledged byte, and how many of them were sent on this connection.

    Offsets are bytes of the session's audio. An ``UTTERANCE_END`` is kept until audio after it is acknowledged.
    """

    def __init__(self) -> None:
        self.acknowledged = 0
        self.size = 0
        self._frames: deque[bytes] = deque()
        self._sent = 0

    def append(self, frame: bytes) -> None:
        """Add a frame at the end."""
        self._frames.append(frame)
        self.size += len(frame)

    def end_utterance(self) -> None:
        """End the utterance after the frames so far. If it already ends there, nothing changes."""
        if not self._frames or self._frames[-1] != UTTERANCE_END:
            self._frames.append(UTTERANCE_END)

    def next(self) -> bytes | None:
        """Return the next frame to send, or None if all were sent."""
        if self._sent == len(self._frames):
            return None
        self._sent += 1
        return self._frames[self._sent - 1]

    def acknowledge(self, offset: int) -> None:
        """Drop the audio before ``offset``, also from within a frame. A lower offset than before changes nothing."""
        safe = max(0, offset - self.acknowledged)
        self.acknowledged += safe
        while safe > 0 and self._frames:
            frame = self._frames.popleft()
            self.size -= len(frame)
            if len(frame) > safe:
                self._frames.appendleft(frame[safe:])
                self.size += len(frame) - safe
            else:
                self._sent = max(0, self._sent - 1)
            safe -= len(frame)

    def rewind(self) -> None:
        """Prepare for a new connection: every frame will be sent again."""
        self._sent = 0

    def restart(self, sample_bytes: int) -> None:
        """Prepare for a new session: it begins with the first whole sample of the kept audio.

        ``sample_bytes`` is the size of a sample of all channels.
        """
        self.acknowledge(-(-self.acknowledged // sample_bytes) * sample_bytes)
        self.acknowledged = 0
        self.rewind()
