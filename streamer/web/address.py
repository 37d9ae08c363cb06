"""The address of a client, as limits count it."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

UNKNOWN = "unknown"
"""The address of all clients whose address cannot be told. They share what one address may use."""

NETWORK_BITS = 64
"""The part of an IPv6 address that names a network: one client may use any address in it."""


def address_of(connection: HTTPConnection) -> str:
    """The client's IPv4 address or IPv6 network.

    Behind trusted proxies, the server has replaced the proxy's address by the client's (``livecaptions.server``).
    """
    return counted_address(connection.client.host if connection.client is not None else "")


def counted_address(host: str) -> str:
    """``host`` as limits count it: an IPv4 address, the network of an IPv6 address, or ``UNKNOWN``."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, NETWORK_BITS), strict=False))
