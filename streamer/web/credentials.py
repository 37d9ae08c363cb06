"""Who sends a request, and what it may do."""

from typing import NamedTuple

from starlette.requests import HTTPConnection

from captions.access import Principal, Right
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.limits import Caller
from streamer.web.address import address_of


class Admitted(NamedTuple):
    """A principal in a room where it has the right that it asked for."""

    principal: Principal
    room: RoomId


def token_of(connection: HTTPConnection) -> str | None:
    """The token in the ``Authorization`` header or, without one, in the query parameter ``token``; None if missing."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else connection.query_params.get("token", "")
    return token or None


async def principal_of(connection: HTTPConnection, gateway: Gateway) -> Principal:
    """The principal that sends the request. Raises ``Unauthorized``, or ``TooMany`` if too many requests come."""
    gateway.limits.knock(address_of(connection))
    principal = await gateway.authenticator.authenticate(token_of(connection))
    gateway.limits.enter(caller_of(connection, gateway, principal))
    return principal


def caller_of(connection: HTTPConnection, gateway: Gateway, principal: Principal) -> Caller:
    """The accounts that a connection of this principal counts for."""
    return gateway.limits.caller(principal, address_of(connection))


async def admitted(connection: HTTPConnection, gateway: Gateway, right: Right, room_name: str) -> Admitted:
    """The principal and its room of this name, or the tenant's that an operator names in the query.

    Raises ``BadRequest``, ``Unauthorized``, ``Forbidden`` or ``TooMany``.
    """
    principal = await principal_of(connection, gateway)
    room = principal.room(room_name, connection.query_params.get("tenant"))
    principal.require(right, room)
    return Admitted(principal, room)
