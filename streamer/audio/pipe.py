"""Two bounded queues between the event loop and a decoder's thread: bytes in, samples out.

Methods for the thread may block it. Methods for the event loop never block.
"""

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from captions.audio import Pcm
from streamer.audio.decoder import Decoded


class Closed(Exception):
    """The stream was closed before its end."""


class BytePipe:
    """A file-like queue of bytes. The event loop writes; the demuxer in the thread reads, and waits for bytes.

    The queue is full while more than ``most_waiting`` bytes wait. ``on_space`` is called from the thread when it no
    longer is.
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
        """Whether the writer has to wait before it writes more."""
        return self._waiting > self._most_waiting

    @property
    def closed(self) -> bool:
        """Whether the stream was closed before its end."""
        return self._closed

    @property
    def consumed(self) -> int:
        """The number of bytes read so far."""
        return self._consumed

    @property
    def exhausted(self) -> bool:
        """Whether the stream has ended and all its bytes were read."""
        with self._condition:
            return self._finished and not self._chunks

    def write(self, data: bytes) -> None:
        """Write bytes. They are ignored after ``close``."""
        with self._condition:
            if data and not self._closed:
                self._chunks.append(data)
                self._waiting += len(data)
                self._condition.notify()

    def finish(self) -> None:
        """End the stream after the bytes so far."""
        with self._condition:
            self._finished = True
            self._condition.notify()

    def close(self) -> None:
        """Drop the bytes that wait, and wake the thread."""
        with self._condition:
            self._closed = True
            self._chunks.clear()
            self._waiting = 0
            self._condition.notify()
        self._on_room()

    def head(self, size: int) -> bytes:
        """Return the next ``size`` bytes without consuming them; fewer at the end. Blocks; for the thread."""
        with self._condition:
            while self._waiting < size and not self._finished and not self._closed:
                self._condition.wait()
            return b"".join(self._chunks)[:size]

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes as soon as there are any; none at the end. Blocks; for the thread.

        A closed pipe returns none too, because an exception would have to pass through FFmpeg's C code.
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
    """A queue of samples from the thread to the event loop. The thread waits while more than ``most_waiting`` wait.

    ``on_ready`` is called from the thread after each piece.
    """

    def __init__(self, most_waiting: int, on_ready: Callable[[], None]) -> None:
        self._pieces: deque[Decoded] = deque()
        self._condition = threading.Condition()
        self._most_waiting = most_waiting
        self._on_ready = on_ready
        self._waiting = 0
        self._closed = False

    def put(self, pcm: Pcm, offset: int) -> None:
        """Add samples, and the byte offset up to which they represent the stream. Raises ``Closed``. For the thread."""
        with self._condition:
            while self._waiting > self._most_waiting and not self._closed:
                self._condition.wait()
            if self._closed:
                raise Closed
            self._pieces.append(Decoded(pcm, offset))
            self._waiting += len(pcm)
        self._on_ready()

    def take(self) -> Decoded | None:
        """Take all samples that wait as one piece; None if there are none."""
        with self._condition:
            pieces = list(self._pieces)
            self._pieces.clear()
            self._waiting = 0
            self._condition.notify()
        if not pieces:
            return None
        return Decoded(np.concatenate([piece.pcm for piece in pieces]), pieces[-1].offset)

    def close(self) -> None:
        """Wake the thread; ``put`` then raises ``Closed``."""
        with self._condition:
            self._closed = True
            self._condition.notify()
