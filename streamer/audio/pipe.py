"""Two bounded queues between the event loop and a decoder's thread: bytes in, samples out.

Whatever is called from the thread blocks it; what is called from the event loop never does.
"""

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from captions.audio import Pcm
from streamer.audio.decoder import Decoded


class Closed(Exception):
    """The stream was given up."""


class BytePipe:
    """The file that a demuxer reads: bytes written by the event loop, waited for by the thread.

    ``on_space`` is called by the thread when no more than ``most_waiting`` bytes wait again.
    """

    def __init__(self, most_waiting: int, on_space: Callable[[], None]) -> None:
        self._chunks: deque[bytes] = deque()
        self._condition = threading.Condition()
        self._most_waiting = most_waiting
        self._on_room = on_space
        self._waiting = 0
        self._consumed = 0
        self._finished = False
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether the writer has to wait."""
        return self._waiting > self._most_waiting

    @property
    def closed(self) -> bool:
        """Whether the stream was given up."""
        return self._closed

    @property
    def consumed(self) -> int:
        """Bytes read so far."""
        return self._consumed

    @property
    def exhausted(self) -> bool:
        """Whether the stream ended and every byte of it was read."""
        with self._condition:
            return self._finished and not self._chunks

    def write(self, data: bytes) -> None:
        """More bytes; none are taken after ``close``."""
        with self._condition:
            if data and not self._closed:
                self._chunks.append(data)
                self._waiting += len(data)
                self._condition.notify()

    def finish(self) -> None:
        """No more bytes come."""
        with self._condition:
            self._finished = True
            self._condition.notify()

    def close(self) -> None:
        """Drop what waits, and let the thread go."""
        with self._condition:
            self._closed = True
            self._chunks.clear()
            self._waiting = 0
            self._condition.notify()
        self._on_room()

    def head(self, size: int) -> bytes:
        """The next ``size`` bytes without reading them, once they are there; fewer at the end. The thread's side."""
        with self._condition:
            while self._waiting < size and not self._finished and not self._closed:
                self._condition.wait()
            return b"".join(self._chunks)[:size]

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, as soon as there are any; none at the end. The thread's side.

        A closed pipe is at its end too: an exception would have to pass through FFmpeg's C code.
        """
        with self._condition:
            while not self._chunks and not self._finished and not self._closed:
                self._condition.wait()
            if not self._chunks:
                return b""
            was_full = self.full
            chunk = self._chunks.popleft()
            if 0 <= size < len(chunk):
                self._chunks.appendleft(chunk[size:])
                chunk = chunk[:size]
            self._waiting -= len(chunk)
            self._consumed += len(chunk)
        if was_full and not self.full:
            self._on_room()
        return chunk


class SampleQueue:
    """Decoded samples on their way to the event loop; the thread waits while more than ``most_waiting`` are there."""

    def __init__(self, most_waiting: int, on_ready: Callable[[], None]) -> None:
        self._pieces: deque[Decoded] = deque()
        self._condition = threading.Condition()
        self._most_waiting = most_waiting
        self._on_ready = on_ready
        self._waiting = 0
        self._closed = False

    def put(self, pcm: Pcm, offset: int) -> None:
        """Samples and the offset they account for. Raises ``Closed``. The thread's side."""
        with self._condition:
            while self._waiting > self._most_waiting and not self._closed:
                self._condition.wait()
            if self._closed:
                raise Closed
            self._pieces.append(Decoded(pcm, offset))
            self._waiting += len(pcm)
        self._on_ready()

    def take(self) -> Decoded | None:
        """All that waits, as one piece; None where nothing does."""
        with self._condition:
            pieces = list(self._pieces)
            self._pieces.clear()
            self._waiting = 0
            self._condition.notify()
        if not pieces:
            return None
        return Decoded(np.concatenate([piece.pcm for piece in pieces]), pieces[-1].offset)

    def close(self) -> None:
        """Let the thread go."""
        with self._condition:
            self._closed = True
            self._condition.notify()
