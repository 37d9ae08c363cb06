"""The RoomDirectory port: looks up the settings of a room."""

from typing import Protocol

from captions.room_settings import RoomSettings
from captions.track import RoomId


class RoomDirectory(Protocol):
    """Looks up the settings of rooms."""

    async def settings_of(self, room: RoomId) -> RoomSettings:
        """The current settings of the room; the defaults if nothing is set for it."""
        ...


class NoRoomDirectory:
    """A directory that returns the defaults for every room."""

    async def settings_of(self, room: RoomId) -> RoomSettings:  # noqa: ARG002 - as the port has it
        """The defaults."""
        return RoomSettings()
