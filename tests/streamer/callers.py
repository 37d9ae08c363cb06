"""Clients whose keys, tenants and addresses differ, as each kind of limit needs them."""

from typing import Any, NamedTuple

import httpx
from websockets.asyncio.client import connect

from captions.access import Principal, Right
from captions.limits import Scope
from tests.streamer.system import System

RIGHTS = frozenset({Right.PUBLISH, Right.VIEW})
TOKENS = {
    "k1": Principal(rooms=("*",), rights=RIGHTS, tenant="acme", credential="k1"),
    "k2": Principal(rooms=("*",), rights=RIGHTS, tenant="acme", credential="k2"),
    "k3": Principal(rooms=("*",), rights=RIGHTS, tenant="zenith", credential="k3"),
}
HERE, THERE = "127.0.0.1", "127.0.0.2"


class Who(NamedTuple):
    """A client: the key that it shows and the address that it comes from."""

    token: str
    address: str


class Trio(NamedTuple):
    """Two clients that one limit counts together, and one that it does not, although it shares all it can."""

    one: Who
    same: Who
    other: Who


TRIOS = {
    Scope.KEY: Trio(Who("k1", HERE), Who("k1", THERE), Who("k2", HERE)),
    Scope.TENANT: Trio(Who("k1", HERE), Who("k2", THERE), Who("k3", HERE)),
    Scope.ADDRESS: Trio(Who("k1", HERE), Who("k2", HERE), Who("k1", THERE)),
}


def socket_of(system: System, who: Who, what: str, room: str = "hall", /, **query: object) -> connect:
    parameters = "&".join(f"{name}={value}" for name, value in {"token": who.token, **query}.items())
    url = f"ws://127.0.0.1:{system.port}/v1/rooms/{room}/{what}?{parameters}"
    return connect(url, compression=None, max_size=None, close_timeout=1, local_addr=(who.address, 0))


def publisher_of(system: System, who: Who, room: str = "hall", /, **query: object) -> connect:
    return socket_of(system, who, "publish", room, **query)


def viewer_of(system: System, who: Who, room: str = "hall", /, **query: object) -> connect:
    return socket_of(system, who, "captions", room, **query)


def http_of(system: System, who: Who, **options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx's own
    return httpx.AsyncClient(
        base_url=system.http,
        params={"token": who.token},
        transport=httpx.AsyncHTTPTransport(local_address=who.address),
        **options,
    )
