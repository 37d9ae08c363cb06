"""WebSocket text frames (RFC 6455, 5.2), encoded once and shared by all viewers."""

from collections.abc import Iterable

from websockets.frames import Frame, Opcode


def text_frame(data: bytes) -> bytes:
    """Encode a server's text frame (unmasked) with ``data`` as its UTF-8 payload."""
    return Frame(Opcode.TEXT, data).serialize(mask=False)


def text_frames(messages: Iterable[bytes]) -> bytes:
    """Encode several messages as consecutive text frames."""
    return b"".join(map(text_frame, messages))
