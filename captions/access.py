"""Principals and their rights in rooms."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from captions.errors import Forbidden
from captions.explain import check_name
from captions.limits import Allowance
from captions.track import RoomId

ROOM_PATTERN = r"^[A-Za-z0-9*][A-Za-z0-9._*-]{0,63}$"
"""The rule for patterns of room names, in which ``*`` stands for any characters."""


class Right(StrEnum):
    """A permission in a room. ``OPERATE`` extends the other rights to every room of the principal's tenant.

    An operator without a tenant operates the server: the other rights extend to the rooms of all tenants.
    """

    PUBLISH = "publish"
    VIEW = "view"
    EDIT = "edit"
    MANAGE = "manage"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated person or program.

    ``rooms`` lists names of rooms, or patterns with ``*``. All of them are rooms of ``tenant``; None means rooms
    without a tenant. ``subject`` names the principal in the audit log. ``credential`` is the id of the key that lets
    it in, and that can be revoked; None means that it cannot be revoked. ``expires_at`` is when its token expires, in
    Unix seconds; None means never. ``limits`` are those that the key has for itself; None means the defaults for keys.
    """

    rooms: tuple[str, ...]
    rights: frozenset[Right]
    tenant: str | None = None
    subject: str = "anybody"
    credential: str | None = None
    expires_at: float | None = None
    limits: Allowance | None = None

    @property
    def operates(self) -> bool:
        """Whether the rights extend to all rooms of the tenant, or of all tenants if it has none."""
        return Right.OPERATE in self.rights

    def room(self, name: str, tenant: str | None = None) -> RoomId:
        """The room called ``name``: the principal's own, unless an operator asks for another ``tenant``.

        Raises ``BadRequest`` if a name is not valid, and ``Forbidden`` for a tenant that is not the principal's.
        """
        check_name("room", name)
        return RoomId(name, self.tenant_of(tenant))

    def tenant_of(self, asked: str | None) -> str | None:
        """The principal's own tenant, unless an operator asks for another.

        Raises ``BadRequest`` if the name is not valid, and ``Forbidden`` for a tenant that is not the principal's.
        """
        if asked is not None:
            check_name("tenant", asked)
        if asked not in {None, self.tenant} and not (self.operates and self.tenant is None):
            raise Forbidden(f"this token is not valid for tenant {asked}; ask the operator for one that is")
        return self.tenant if asked is None else asked

    def covers(self, room: RoomId) -> bool:
        """Whether the rights apply to ``room``."""
        if self.operates and self.tenant in {None, room.tenant}:
            return True
        return room.tenant == self.tenant and _matches(self.rooms, room.name)

    def require(self, right: Right, room: RoomId) -> None:
        """Raise ``Forbidden`` unless the principal has ``right`` in ``room``."""
        self.require_right(right)
        if not self.covers(room):
            raise Forbidden(f"this token is not valid for room {room.name}; ask the operator for one that is")

    def require_right(self, right: Right) -> None:
        """Raise ``Forbidden`` unless the principal has ``right`` in some room."""
        if right not in self.rights:
            raise Forbidden(f"this token has no right to {right}; ask the operator for one that has")

    def require_everywhere(self, right: Right) -> None:
        """Raise ``Forbidden`` unless the principal has ``right`` in all rooms of its tenant."""
        self.require_right(right)
        if not self.operates and "*" not in self.rooms:
            raise Forbidden(f"this needs the right to {right} in all rooms; ask the operator for a token that has it")

    def require_at_least(self, rooms: Iterable[str], rights: Iterable[Right]) -> None:
        """Raise ``Forbidden`` if a token with ``rooms`` (names or patterns) and ``rights`` could do more than this."""
        for right in rights:
            self.require_right(right)
        for asked in rooms:
            # a pattern is covered if it matches with its own stars as plain characters
            if not self.operates and not _matches(self.rooms, asked):
                raise Forbidden(f"this token is not valid for room {asked}; ask the operator for one that is")


ANYBODY = Principal(rooms=("*",), rights=frozenset(Right))
"""The principal of every request on an open server."""


def _matches(patterns: Iterable[str], name: str) -> bool:
    return any(_fits(pattern, name) for pattern in patterns)


def _fits(pattern: str, name: str) -> bool:
    """Whether ``name`` fits ``pattern``, in which ``*`` alone is special. Linear: strangers may send patterns."""
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    *middle, last = others
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
