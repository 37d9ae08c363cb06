"""WebSocket text frames that are made once and shared by all who get them (RFC 6455, 5.2)."""

from collections.abc import Iterable

from websockets.frames import Frame, Opcode


def text_frame(data: bytes) -> bytes:
    """A server's text frame of UTF-8."""
    return Frame(Opcode.TEXT, data).serialize(mask=False)


def text_frames(messages: Iterable[bytes]) -> bytes:
    """The frames of several messages, one after the other."""
    return b"".join(map(text_frame, messages))
