"""Who sends a request, and what it may do."""

from typing import NamedTuple

from starlette.requests import HTTPConnection

from captions.access import Principal, Right
from captions.errors import Forbidden, Unauthorized
from captions.ports.audit import Detail
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
    try:
        principal = await gateway.authenticator.authenticate(token_of(connection))
    except Unauthorized as refusal:
        audit(connection, gateway, "access.refused", None, outcome=refusal.code, path=connection.scope["path"][:200])
        raise
    gateway.limits.enter(caller_of(connection, gateway, principal))
    return principal


def caller_of(connection: HTTPConnection, gateway: Gateway, principal: Principal) -> Caller:
    """The accounts that a connection of this principal counts for."""
    return gateway.limits.caller(principal, address_of(connection))


def audit(
    connection: HTTPConnection,
    gateway: Gateway,
    action: str,
    by: Principal | None,
    room: RoomId | None = None,
    *,
    outcome: str = "ok",
    **details: Detail,
) -> None:
    """Record what the client of a connection did."""
    address = None if connection.client is None else connection.client.host
    gateway.audit.record(action=action, outcome=outcome, principal=by, room=room, address=address, **details)


async def admitted(connection: HTTPConnection, gateway: Gateway, right: Right, room_name: str) -> Admitted:
    """The principal and its room of this name, or the tenant's that an operator names in the query.

    Raises ``BadRequest``, ``Unauthorized``, ``Forbidden`` or ``TooMany``.
    """
    principal = await principal_of(connection, gateway)
    try:
        room = principal.room(room_name, connection.query_params.get("tenant"))
        principal.require(right, room)
    except Forbidden as refusal:
        own = RoomId(room_name, principal.tenant)
        audit(connection, gateway, "access.refused", principal, own, outcome=refusal.code, right=right.value)
        raise
    return Admitted(principal, room)
