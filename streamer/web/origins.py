"""Which site's page a request comes from. Browsers say it in the header ``Origin``; other clients do not send it."""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from captions.errors import Forbidden
from streamer.settings import GatewaySettings

ANY = "*"
_PORTS = {"http": 80, "https": 443}
_LONGEST_SHOWN = 100


def foreign_origin(connection: HTTPConnection, settings: GatewaySettings) -> str | None:
    """The origin of another site's page; None for this server's own pages, and for clients that are no browsers.

    A page is our own if its host and port are those that the request is sent to. The scheme does not count: proxies
    terminate TLS.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return None
    page = _host_and_port(origin)
    host = f"{origin.partition('://')[0]}://{connection.headers.get('host', '')}"
    own = {_host_and_port(address) for address in (host, settings.public_url) if address}
    return None if page is not None and page in own else origin


def listed(origin: str, settings: GatewaySettings) -> bool:
    """Whether the operator allows the pages of ``origin`` to use this server."""
    return ANY in settings.allowed_origins or origin.lower() in settings.allowed_origins


def not_allowed(origin: str) -> Forbidden:
    """The refusal for the pages of ``origin``."""
    return Forbidden(
        f"pages of {origin[:_LONGEST_SHOWN]} may not use this server; "
        "the operator can list this origin in the setting allowed_origins"
    )


def check_host(connection: HTTPConnection, settings: GatewaySettings) -> None:
    """Raise ``Forbidden`` where the request is sent to a name that is neither this machine's nor a listed one.

    A page of any site can have its own name resolve to 127.0.0.1 (DNS rebinding). To the browser it is then a page of
    this server.
    """
    if not settings.local_only:
        return
    host = connection.headers.get("host", "")
    name = _name(f"//{host}")
    addresses = (settings.public_url, *settings.allowed_origins)
    if name is None or not (_is_this_machine(name) or name in {_name(address) for address in addresses if address}):
        raise Forbidden(
            f"this server is open to this machine only, and does not know the name {host[:_LONGEST_SHOWN]}; "
            "the operator can set public_url, or list the address in allowed_origins"
        )


def _is_this_machine(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):  # browsers resolve these themselves: RFC 6761
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _host_and_port(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None
