"""WebSocket frames made once and shared by all who get them.

An ASGI server is handed one message at a time and frames it anew for each connection: 40 µs for each final and viewer,
of which there may be thousands each. A server with our extension takes frames that are made already, several at once;
on the wire each message stays a text frame of its own (RFC 6455, 5.2).
"""

from collections.abc import Iterable

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.frames import Frame, Opcode

EXTENSION = "livecaptions.frames"
"""Key in the scope's ``extensions`` of a server that takes ``{"type": "websocket.send", "frames": bytes}``."""


def text_frame(data: bytes) -> bytes:
    """A server's text frame of UTF-8."""
    return Frame(Opcode.TEXT, data).serialize(mask=False)


def text_frames(messages: Iterable[bytes]) -> bytes:
    """The frames of several messages, one after the other."""
    return b"".join(map(text_frame, messages))


async def send_frames(websocket: WebSocket, frames: bytes) -> None:
    """Send whole frames. Raises ``WebSocketDisconnect`` where the connection is closed, by whichever side."""
    try:
        await websocket.send({"type": "websocket.send", "frames": frames})
    except RuntimeError as error:  # uvicorn closed it by itself, over a message larger than it takes
        raise WebSocketDisconnect(1006) from error


def check_server(websocket: WebSocket) -> None:
    """Raise ``RuntimeError`` where the server would pass over frames that are made already."""
    if EXTENSION not in websocket.scope.get("extensions", {}):
        raise RuntimeError(f"this server lacks the ASGI extension {EXTENSION}; use livecaptions.server.serving")
