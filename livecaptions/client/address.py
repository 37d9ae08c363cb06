"""Where a server is, and the URLs of its sockets."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from captions.errors import SetupError

Parameters = Sequence[tuple[str, str]]


def socket_url(server: str, room: str, what: str, parameters: Parameters) -> str:
    """The URL of a room's ``publish`` or ``captions`` socket. Raises ``SetupError`` where ``server`` is no URL."""
    parts = urlsplit(server if "//" in server else f"http://{server}")
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise SetupError(f"{server!r} is no server's address; it looks like http://localhost:8080")
    path = f"{parts.path.rstrip('/')}/v1/rooms/{quote(room, safe='')}/{what}"
    return urlunsplit((scheme, parts.netloc, path, urlencode(parameters), ""))


def authorization(token: str | None) -> dict[str, str]:
    """The headers that carry a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}
