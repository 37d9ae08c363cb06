"""Addresses of servers and of their sockets."""

from collections.abc import Sequence
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from livecaptions_client.errors import AddressError

Parameters = Sequence[tuple[str, str]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def check_address(server: str) -> SplitResult:
    """Return the parts of a server's URL. A URL without a scheme is ``http://``. Raises ``AddressError``."""
    problem = f"{server!r} is no server's address; an address looks like http://localhost:8080"
    try:
        parts = urlsplit(server if "//" in server else f"http://{server}")
        valid = parts.scheme in SCHEMES and parts.hostname is not None and parts.port != 0
    except ValueError as error:  # an invalid port, or an unclosed bracket
        raise AddressError(problem) from error
    if not valid:
        raise AddressError(problem)
    return parts


def http_url(server: str) -> str:
    """The server's ``http`` or ``https`` URL, without a slash at the end. Raises ``AddressError``."""
    parts = check_address(server)
    scheme = "http" if SCHEMES[parts.scheme] == "ws" else "https"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def check_addresses(servers: str) -> None:
    """Check every address of a comma-separated list. Raises ``AddressError``."""
    for server in servers.split(","):
        check_address(server)


def socket_url(server: str, room: str, endpoint: str, parameters: Parameters) -> str:
    """Return the URL of a room's ``publish`` or ``captions`` socket. Raises ``AddressError``."""
    parts = check_address(server)
    path = f"{parts.path.rstrip('/')}/v1/rooms/{quote(room, safe='')}/{endpoint}"
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, urlencode(parameters), ""))
