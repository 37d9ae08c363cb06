"""Frames that are made already, on their way to a viewer.

An ASGI server is handed one message at a time and frames it anew for each connection: 40 µs for each final and viewer,
of which there may be thousands each. A server with our extension takes frames that are made already, several at once;
on the wire each message stays a text frame of its own.
"""

from starlette.websockets import WebSocket, WebSocketDisconnect

EXTENSION = "livecaptions.frames"
"""Key in the scope's ``extensions`` of a server that takes ``{"type": "websocket.send", "frames": bytes}``."""


async def send_frames(websocket: WebSocket, frames: bytes) -> None:
    """Send whole frames. Raises ``WebSocketDisconnect`` where the connection is closed, by whichever side."""
    try:
        await websocket.send({"type": "websocket.send", "frames": frames})
    except RuntimeError as error:  # uvicorn closed it by itself, over a message larger than it takes
        raise WebSocketDisconnect(1006) from error


def check_server(websocket: WebSocket) -> None:
    """Raise ``RuntimeError`` where the server would pass over frames that are made already."""
    if EXTENSION not in websocket.scope.get("extensions", {}):
        raise RuntimeError(f"this server lacks the ASGI extension {EXTENSION}; run it with livecaptions.server.serving")
