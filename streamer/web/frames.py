"""Sends WebSocket frames that are already encoded.

A standard ASGI server takes one message at a time and encodes it anew for each connection. This costs 40 µs per final
and viewer, and there may be thousands of both. A server with this project's ASGI extension takes several encoded
frames at once. On the wire, each message is still one text frame.
"""

from starlette.websockets import WebSocket, WebSocketDisconnect

EXTENSION = "livecaptions.frames"
"""Key in the scope's ``extensions`` of a server that accepts ``{"type": "websocket.send", "frames": bytes}``."""

LARGEST_MESSAGE = "livecaptions.largest_message"
"""Key in ``websocket.accept``, which other servers ignore: the most bytes that the client may send in one message."""

ABORT = "livecaptions.abort"
"""Key in the scope's ``extensions`` of a server that can drop a connection: ``{"abort": a function}``. What has been
sent, and not been read yet, is lost."""


async def send_frames(websocket: WebSocket, frames: bytes) -> None:
    """Send one or more complete frames. Raises ``WebSocketDisconnect`` if either side has closed the connection."""
    try:
        await websocket.send({"type": "websocket.send", "frames": frames})
    except RuntimeError as error:  # uvicorn closed it, because the client sent too large a message
        raise WebSocketDisconnect(1006) from error


def check_server(websocket: WebSocket) -> None:
    """Raise ``RuntimeError`` if the server lacks the extension and would ignore encoded frames."""
    if EXTENSION not in websocket.scope.get("extensions", {}):
        raise RuntimeError(f"this server lacks the ASGI extension {EXTENSION}; run it with livecaptions.server.serving")
