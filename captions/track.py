"""Rooms and tracks, and the keys under which the log orders what is said in them.

This is the only place that makes and reads keys. A room's key is ``room``, a track's ``room/track``; those of a tenant
are ``tenant/room`` and ``tenant/room/track``. Names hold no slash, so a key has one reading.
"""

from typing import NamedTuple

from captions.errors import RecordError


class RoomId(NamedTuple):
    """A room. Two tenants' rooms of one name are two rooms; ``tenant`` is None where rooms have no owner."""

    name: str
    tenant: str | None = None

    @property
    def key(self) -> str:
        """The key of the room's captions."""
        return self.name if self.tenant is None else f"{self.tenant}/{self.name}"

    def track(self, name: str) -> "TrackId":
        """The track of this name in the room."""
        return TrackId(self, name)

    @classmethod
    def from_key(cls, key: str) -> "RoomId":
        """The room of a key. Raises ``RecordError``."""
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
        """The key of the track's audio."""
        return f"{self.room.key}/{self.name}"

    @classmethod
    def from_key(cls, key: str) -> "TrackId":
        """The track of a key. Raises ``RecordError``."""
        match key.split("/"):
            case [room, name] if room and name:
                return cls(RoomId(room), name)
            case [tenant, room, name] if tenant and room and name:
                return cls(RoomId(room, tenant), name)
            case _:
                raise RecordError(f"audio key {key!r} is neither room/track nor tenant/room/track")

    def describe(self) -> dict[str, str]:
        """Its names, as fields of a log line."""
        tenant = {} if self.room.tenant is None else {"tenant": self.room.tenant}
        return {**tenant, "room": self.room.name, "track": self.name}
