"""Principals and their rights in rooms."""

import fnmatch
from dataclasses import dataclass
from enum import StrEnum

from captions.errors import Forbidden
from captions.track import RoomId


class Right(StrEnum):
    """A permission in a room."""

    PUBLISH = "publish"
    VIEW = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated person or program.

    ``rooms`` lists room names, or patterns with ``*``. ``tenant`` is the tenant that the principal's sessions are
    counted under.
    """

    rooms: tuple[str, ...]
    rights: frozenset[Right]
    tenant: str | None = None

    def covers(self, room: RoomId) -> bool:
        """Whether the rights apply to ``room``."""
        return any(fnmatch.fnmatchcase(room.name, pattern) for pattern in self.rooms)

    def require(self, right: Right, room: RoomId) -> None:
        """Raise ``Forbidden`` unless the principal has ``right`` in ``room``."""
        if right not in self.rights:
            raise Forbidden(f"this token has no right to {right}; ask the operator for one that has")
        if not self.covers(room):
            raise Forbidden(f"this token is not valid for room {room.name}; ask the operator for one that is")


ANYBODY = Principal(rooms=("*",), rights=frozenset(Right))
"""The principal of every request on a server without tokens."""
