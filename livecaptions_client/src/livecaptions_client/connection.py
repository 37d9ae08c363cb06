"""Sockets of a server, and why they were refused or lost."""

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
"""Seconds that a server gets to answer a close."""


@asynccontextmanager
async def open_socket(url: str, token: str | None) -> AsyncIterator[ClientConnection]:
    """Open a socket while the context lasts. Raises ``RefusedError`` where the server answers without an upgrade."""
    # this machine is reached without a detour
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
    """Return the refusal in an HTTP response; where the response has none, a refusal that names the status."""
    try:
        body = json.loads(error.response.body or b"")
        retry_after = body.get("retry_after")
        return RefusedError(
            str(body["code"]), str(body["message"]), None if retry_after is None else float(retry_after)
        )
    except (ValueError, KeyError, TypeError):
        status = error.response.status_code
        return RefusedError("internal" if status >= 500 else "bad_request", f"the server answered HTTP {status}")


def describe(error: Exception) -> str:
    """Describe a lost connection in a few words."""
    if isinstance(error, ConnectionClosed):
        return f"connection closed ({error.rcvd.code if error.rcvd else 'without a word'})"
    return str(error) or type(error).__name__
