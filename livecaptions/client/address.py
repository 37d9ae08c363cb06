"""Where a server is, and its sockets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from captions.errors import SetupError
from livecaptions.client.refused import refusal_of

Parameters = Sequence[tuple[str, str]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def check_address(server: str) -> SplitResult:
    """The parts of a server's URL. Raises ``SetupError`` where it is none."""
    problem = f"{server!r} is no server's address; it looks like http://localhost:8080"
    try:
        parts = urlsplit(server if "//" in server else f"http://{server}")
        valid = parts.scheme in SCHEMES and parts.hostname is not None and parts.port != 0
    except ValueError as error:  # of an impossible port or a bracket left open
        raise SetupError(problem) from error
    if not valid:
        raise SetupError(problem)
    return parts


def socket_url(server: str, room: str, what: str, parameters: Parameters) -> str:
    """The URL of a room's ``publish`` or ``captions`` socket. Raises ``SetupError`` where ``server`` is no URL."""
    parts = check_address(server)
    path = f"{parts.path.rstrip('/')}/v1/rooms/{quote(room, safe='')}/{what}"
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, urlencode(parameters), ""))


@asynccontextmanager
async def open_socket(url: str, token: str | None) -> AsyncIterator[ClientConnection]:
    """A connection to a socket of the server. Raises ``RefusedError`` where it answers anything but an upgrade."""
    # this machine is reached without a detour
    proxy: Literal[True] | None = None if urlsplit(url).hostname in LOOPBACK else True
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connecting = connect(url, compression=None, max_size=None, additional_headers=headers, proxy=proxy, close_timeout=2)
    try:
        ws = await connecting
    except InvalidStatus as error:
        raise refusal_of(error) from error
    try:
        yield ws
    finally:
        await ws.close()
