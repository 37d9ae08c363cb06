"""Who asks, and what they may do in which rooms."""

import fnmatch
from dataclasses import dataclass
from enum import StrEnum

from captions.errors import Forbidden
from captions.track import RoomId


class Right(StrEnum):
    """What somebody may do in a room."""

    PUBLISH = "publish"
    VIEW = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who was authenticated: a person, or a program with a key.

    ``rooms`` are names of rooms, or patterns with ``*``. ``tenant`` is whose sessions theirs count as.
    """

    rooms: tuple[str, ...]
    rights: frozenset[Right]
    tenant: str | None = None

    def covers(self, room: RoomId) -> bool:
        """Whether their rights hold in ``room``."""
        return any(fnmatch.fnmatchcase(room.name, pattern) for pattern in self.rooms)

    def require(self, right: Right, room: RoomId) -> None:
        """Raise ``Forbidden`` unless they have the right in the room."""
        if right not in self.rights:
            raise Forbidden(f"this token does not allow to {right}; ask the operator for one that does")
        if not self.covers(room):
            raise Forbidden(f"this token is not valid for room {room.name}; ask the operator for one that is")


ANYBODY = Principal(rooms=("*",), rights=frozenset(Right))
"""Everybody, on a server without tokens."""
