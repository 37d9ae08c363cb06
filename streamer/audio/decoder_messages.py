"""What a decoder process reports to the gateway, as bytes on a stream socket."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

_HEAD = struct.Struct("<BIQ")

STATUS = struct.Struct("<i")
"""What the fork server sends on a socket of its own when the process has ended: its status as ``os.waitpid`` has it."""

MOST_BYTES = 64 * 1024
"""The largest payload. A longer piece of samples is divided."""


class Report(IntEnum):
    """The kinds of messages, with what offset and payload mean. Offsets count bytes of the stream."""

    WANTS = 1
    """Everything before the offset was read, and everything about it reported. The process waits for more bytes."""

    SAMPLES = 2
    """PCM16 samples. All bytes before the offset are decoded in these or earlier samples."""

    WARNING = 3
    """A warning's code, a line feed, and its text."""

    REFUSED = 4
    """Why the audio is not supported. The last message."""

    OUT_OF_MEMORY = 5
    """Decoding needs more memory than it may use. The last message."""

    FAILED = 6
    """The traceback of an unexpected exception. The last message."""

    ENDED = 7
    """The stream is decoded to its end. The last message."""


class Message(NamedTuple):
    """One message."""

    kind: Report
    offset: int
    payload: bytes


def pack(kind: Report, offset: int = 0, payload: bytes = b"") -> bytes:
    """Encode a message. ``payload`` has at most ``MOST_BYTES``."""
    return _HEAD.pack(kind, len(payload), offset) + payload


def pack_text(kind: Report, text: str) -> bytes:
    """Encode a message with a text. A long text keeps its end."""
    return pack(kind, payload=text.encode(errors="replace")[-MOST_BYTES:])


class Unpacker:
    """Decodes messages from a stream of bytes."""

    def __init__(self) -> None:
        self._held = bytearray()

    def push(self, data: bytes) -> Iterator[Message]:
        """Add bytes, and yield the messages that are complete. Raises ``ValueError`` if the bytes are no messages."""
        self._held += data
        while len(self._held) >= _HEAD.size:
            kind, length, offset = _HEAD.unpack_from(self._held)
            if length > MOST_BYTES:
                raise ValueError(f"a message of {length} bytes")
            end = _HEAD.size + length
            if len(self._held) < end:
                return
            payload = bytes(self._held[_HEAD.size : end])
            del self._held[:end]
            yield Message(Report(kind), offset, payload)
