"""The RoomDirectory port: what is set for rooms, wherever it is kept."""

from typing import Protocol

from captions.room_settings import RoomSettings
from captions.track import RoomId


class RoomDirectory(Protocol):
    """Knows the settings of rooms."""

    async def settings_of(self, room: RoomId) -> RoomSettings:
        """The room's settings as they are now; the defaults for a room that nothing is set for."""
        ...


class NoRoomDirectory:
    """A directory in which nothing is set for any room."""

    async def settings_of(self, room: RoomId) -> RoomSettings:  # noqa: ARG002 - as the port has it
        """The defaults."""
        return RoomSettings()
