"""Sends refusals: as an HTTP response before the WebSocket upgrade, as a message and a close frame after it."""

import math

from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from captions.errors import Refusal
from captions.messages import error_message
from streamer.web.frames import LARGEST_MESSAGE

SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""Headers of every response: browsers neither guess its type, nor tell other sites the address, which may hold a token.
"""


def as_response(refusal: Refusal) -> Response:
    """Encode the refusal as an HTTP response."""
    headers = dict(SAFE)
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(refusal.retry_after))
    if refusal.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    message = error_message(refusal)
    content = message.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status_code=refusal.http_status, headers=headers)


async def accept(websocket: WebSocket, largest_message: int | None = None) -> None:
    """Accept the connection. Raises ``WebSocketDisconnect`` if the client has left already.

    A client that sends a message of more than ``largest_message`` bytes is disconnected; None: the server's own limit.
    """
    try:
        if largest_message is None:
            await websocket.accept()
        else:
            await websocket.receive()  # the request to connect, which Starlette's own accept takes
            await websocket.send({"type": "websocket.accept", LARGEST_MESSAGE: largest_message})
    except OSError as error:  # Starlette converts this error only after the connection is open
        raise WebSocketDisconnect(1006) from error


async def send(websocket: WebSocket, frame: str | bytes) -> None:
    """Send a text or binary frame. Raises ``WebSocketDisconnect`` if either side has closed the connection."""
    try:
        await (websocket.send_text(frame) if isinstance(frame, str) else websocket.send_bytes(frame))
    except RuntimeError as error:  # uvicorn closed it, because the client sent too large a message
        raise WebSocketDisconnect(1006) from error


async def refuse(websocket: WebSocket, refusal: Refusal) -> None:
    """Send the refusal and close the connection, whether it has been accepted yet or not."""
    if websocket.client_state is WebSocketState.CONNECTING:
        await websocket.send_denial_response(as_response(refusal))
    elif websocket.application_state is not WebSocketState.DISCONNECTED:
        await send(websocket, error_message(refusal).encode())
        await websocket.close(refusal.close_code, refusal.code)
