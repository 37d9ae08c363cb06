"""Audio that may have to be sent again."""

from collections import deque

UTTERANCE_END = b""
"""Stands among the frames where the utterance is to end."""


class Unacknowledged:
    """Frames from the last acknowledged byte on, and which of them the present connection has sent.

    Offsets are bytes of the session's audio. An ``UTTERANCE_END`` is kept until audio behind it is acknowledged.
    """

    def __init__(self) -> None:
        self.acknowledged = 0
        self.size = 0
        self._frames: deque[bytes] = deque()
        self._sent = 0

    def append(self, frame: bytes) -> None:
        """Keep a frame, to be sent after the others."""
        self._frames.append(frame)
        self.size += len(frame)

    def end_utterance(self) -> None:
        """End the utterance behind the frames so far; where it ends there already, nothing changes."""
        if not self._frames or self._frames[-1] != UTTERANCE_END:
            self._frames.append(UTTERANCE_END)

    def next(self) -> bytes | None:
        """Return the next frame to send, None when all are sent."""
        if self._sent == len(self._frames):
            return None
        self._sent += 1
        return self._frames[self._sent - 1]

    def acknowledge(self, offset: int) -> None:
        """Forget audio before ``offset``; a frame that lies across it is cut. An older offset changes nothing."""
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
        """Begin a connection: everything kept is to be sent."""
        self._sent = 0

    def restart(self, sample_bytes: int) -> None:
        """Begin a session: what is kept is its beginning, from the next whole sample (of all channels) on."""
        self.acknowledge(-(-self.acknowledged // sample_bytes) * sample_bytes)
        self.acknowledged = 0
        self.rewind()
