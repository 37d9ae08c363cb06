"""Rooms, tracks, and their keys on the log.

Only this module builds and parses keys. A room's key is ``room`` and a track's key is ``room/track``; with a tenant
they are ``tenant/room`` and ``tenant/room/track``. Names contain no slash, so keys are unambiguous.
"""

from typing import NamedTuple

from captions.errors import RecordError


class RoomId(NamedTuple):
    """A room, where people speak. Rooms of different tenants are different rooms, even with the same name.

    ``tenant`` is None if the room belongs to no tenant.
    """

    name: str
    tenant: str | None = None

    @property
    def key(self) -> str:
        """The key of the room's records on topics ``captions`` and ``partials``."""
        return self.name if self.tenant is None else f"{self.tenant}/{self.name}"

    def track(self, name: str) -> "TrackId":
        """The track called ``name`` in this room."""
        return TrackId(self, name)

    @classmethod
    def from_key(cls, key: str) -> "RoomId":
        """Parse a room's key. Raises ``RecordError``."""
        match key.split("/"):
            case [name] if name:
                return cls(name)
            case [tenant, name] if tenant and name:
                return cls(name, tenant)
            case _:
                raise RecordError(f"captions key {key!r} is neither room nor tenant/room")


class TrackId(NamedTuple):
    """A track: one source of audio in a room, such as a microphone or a participant."""

    room: RoomId
    name: str

    @property
    def key(self) -> str:
        """The key of the track's records on topic ``audio``."""
        return f"{self.room.key}/{self.name}"

    @classmethod
    def from_key(cls, key: str) -> "TrackId":
        """Parse a track's key. Raises ``RecordError``."""
        match key.split("/"):
            case [room, name] if room and name:
                return cls(RoomId(room), name)
            case [tenant, room, name] if tenant and room and name:
                return cls(RoomId(room, tenant), name)
            case _:
                raise RecordError(f"audio key {key!r} is neither room/track nor tenant/room/track")

    def describe(self) -> dict[str, str]:
        """Tenant (if any), room and track, as fields for a log line."""
        tenant = {} if self.room.tenant is None else {"tenant": self.room.tenant}
        return {**tenant, "room": self.room.name, "track": self.name}
