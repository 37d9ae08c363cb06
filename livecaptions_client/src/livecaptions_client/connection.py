"""WebSocket connections to a server, and the reasons why they are refused or lost."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from livecaptions_client.address import LOOPBACK
from livecaptions_client.errors import RefusedError

CLOSE_TIMEOUT = 2.0
"""The seconds that the server has to answer a close frame."""


@asynccontextmanager
async def open_socket(url: str, token: str | None) -> AsyncIterator[ClientConnection]:
    """Open a socket and close it with the context. Raises ``RefusedError`` if the server refuses the upgrade."""
    # a server on this machine is reached without a proxy
    proxy: Literal[True] | None = None if urlsplit(url).hostname in LOOPBACK else True
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connecting = connect(
        url,
        compression=None,
        max_size=None,
        additional_headers=headers,
        proxy=proxy,
        close_timeout=CLOSE_TIMEOUT,
    )
    try:
        ws = await connecting
    except InvalidStatus as error:
        raise refusal_of(error) from error
    try:
        yield ws
    finally:
        await ws.close()


def refusal_of(error: InvalidStatus) -> RefusedError:
    """Return the refusal in an HTTP response. If the response has none, return a refusal that names the status."""
    try:
        body = json.loads(error.response.body or b"")
        retry_after = body.get("retry_after")
        return RefusedError(
            str(body["code"]), str(body["message"]), None if retry_after is None else float(retry_after)
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        status = error.response.status_code
        return RefusedError("internal" if status >= 500 else "bad_request", f"the server answered HTTP {status}")


def describe(error: Exception) -> str:
    """Describe in a few words why the connection was lost."""
    if isinstance(error, ConnectionClosed):
        return f"connection closed ({error.rcvd.code if error.rcvd else 'no close frame'})"
    return str(error) or type(error).__name__
