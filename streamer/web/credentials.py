"""Who sends a request, and what it may do."""

from typing import NamedTuple

from starlette.requests import HTTPConnection

from captions.access import ANYBODY, Principal, Right
from captions.errors import Forbidden, Unauthorized
from captions.ports.audit import Detail
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.limits import Caller
from streamer.web.address import address_of
from streamer.web.origins import foreign_origin, listed, not_allowed

SESSION_COOKIE = "livecaptions_session"
_READS = frozenset({"GET", "HEAD"})


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
    """The principal that sends the request. A page of another site needs a token, or an origin that is listed.

    Raises ``Unauthorized``, ``Forbidden`` for other pages of other sites, or ``TooMany`` if too many requests come.
    """
    gateway.limits.knock(address_of(connection))
    foreign = foreign_origin(connection, gateway.settings)
    token = token_of(connection)
    sent = token if token is not None or foreign is not None else _token_of_session(connection)
    try:
        principal = await gateway.authenticator.authenticate(sent)
        # on an open server every token lets everybody in, so it shows nothing
        if foreign is not None and (token is None or principal == ANYBODY) and not listed(foreign, gateway.settings):
            raise not_allowed(foreign)
    except (Unauthorized, Forbidden) as refusal:
        audit(connection, gateway, "access.refused", None, outcome=refusal.code, path=connection.scope["path"][:200])
        raise
    gateway.limits.enter(caller_of(connection, gateway, principal))
    return principal


async def check_operator(connection: HTTPConnection, gateway: Gateway) -> None:
    """Check that an operator of the whole server sends the request. Raises ``Unauthorized`` or ``Forbidden``."""
    principal = await principal_of(connection, gateway)
    principal.require_right(Right.OPERATE)
    if principal.tenant is not None:
        raise Forbidden(
            "this is about all tenants, and this token is of one; ask the operator for one without a tenant"
        )


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


def _token_of_session(connection: HTTPConnection) -> str | None:
    """The token in the cookie of a login. Browsers add cookies by themselves, also to what other sites make them send.

    So the cookie only counts in requests of our own pages. These send ``Origin`` except where they only read.
    """
    reads = connection.scope["type"] == "http" and connection.scope["method"] in _READS
    if "origin" not in connection.headers and not reads:
        return None
    return connection.cookies.get(SESSION_COOKIE)


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


async def admitted_everywhere(
    connection: HTTPConnection, gateway: Gateway, right: Right
) -> tuple[Principal, str | None]:
    """The principal that has ``right`` in all rooms of its tenant, and that tenant or the one an operator names.

    Raises ``BadRequest``, ``Unauthorized``, ``Forbidden`` or ``TooMany``.
    """
    principal = await principal_of(connection, gateway)
    try:
        principal.require_everywhere(right)
        return principal, principal.tenant_of(connection.query_params.get("tenant"))
    except Forbidden as refusal:
        audit(connection, gateway, "access.refused", principal, outcome=refusal.code, right=right.value)
        raise
