"""Tokens: who may publish into and view which rooms."""

import fnmatch
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

from captions.errors import Forbidden, Unauthorized

Right = Literal["publish", "view"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is good for; ``rooms`` are names, or patterns with ``*``. ``tenant`` is whose it is, for metrics."""

    token: str
    rooms: tuple[str, ...]
    rights: tuple[Right, ...]
    tenant: str | None = None

    def covers(self, room: str) -> bool:
        """Whether the token is good for ``room``."""
        return any(fnmatch.fnmatchcase(room, pattern) for pattern in self.rooms)


def grant_of(connection: HTTPConnection, grants: Sequence[Grant]) -> Grant | None:
    """The grant of the token a request carries; None where no tokens are configured.

    Raises ``Unauthorized`` without a token, or with one nobody knows.
    """
    if not grants:
        return None
    header = connection.headers.get("authorization", "")
    scheme, _, bearer = header.partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else connection.query_params.get("token", "")
    if not token:
        raise Unauthorized("a token is needed: send Authorization: Bearer TOKEN, or the query parameter token")
    found = [grant for grant in grants if hmac.compare_digest(grant.token.encode(), token.encode())]
    if not found:
        raise Unauthorized("this token is not known here; ask the operator for one")
    return found[0]


def authorize(connection: HTTPConnection, grants: Sequence[Grant], right: Right, room: str) -> Grant | None:
    """Let the request pass with its grant, or raise ``Unauthorized`` or ``Forbidden``."""
    grant = grant_of(connection, grants)
    if grant is None:
        return None
    if right not in grant.rights:
        raise Forbidden(f"this token has no right to {right}; ask the operator for one that has")
    if not grant.covers(room):
        raise Forbidden(f"this token is not for room {room}; ask the operator for one that is")
    return grant
