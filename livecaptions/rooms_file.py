"""Settings of rooms in a TOML file.

::

    [rooms."keynote"]
    vocabulary = ["Kubernetes", "CTranslate2"]
    language = "en"

    [rooms."track-*"]
    language = "auto"
    languages = ["de", "en"]

The name of a table is a room, or a pattern with ``*``; rooms of a tenant are written ``tenant/room``. The
first table that matches is used.
"""

import fnmatch
import tomllib
from collections.abc import Mapping
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from captions.errors import SetupError
from captions.explain import explain
from captions.room_settings import RoomSettings
from captions.track import RoomId

logger = structlog.get_logger(__name__)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rooms: Mapping[str, RoomSettings] = {}


class RoomsFile:
    """The RoomDirectory port with a file, which is read again when it changes.

    Raises ``SetupError`` if the file cannot be read at the start, or asks to keep finals for longer than the log's
    ``retention`` in seconds. If that is so later, the error is logged and the previous settings stay in effect.
    """

    def __init__(self, path: Path, retention: float) -> None:
        self._path = path
        self._retention = retention
        self._seen = self._stamp()
        self._rooms = self._read()

    async def settings_of(self, room: RoomId) -> RoomSettings:
        """The settings of the first table that matches the room; the defaults if none does."""
        self._refresh()
        matching = (settings for name, settings in self._rooms.items() if fnmatch.fnmatchcase(room.key, name))
        return next(matching, RoomSettings())

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._rooms = self._read()
        except SetupError as error:
            logger.warning("rooms_file_not_read", error=str(error))
        else:
            logger.info("rooms_file_read", rooms=len(self._rooms))

    def _stamp(self) -> tuple[int, int] | None:
        """A value that changes with the file; None if it does not exist."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def _read(self) -> Mapping[str, RoomSettings]:
        try:
            content = tomllib.loads(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SetupError(f"cannot read the rooms file {self._path}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise SetupError(f"the rooms file {self._path} is not TOML: {error}") from error
        try:
            rooms = _File.model_validate(content).rooms
        except ValidationError as error:
            raise SetupError(f"the rooms file {self._path}: {explain(error)}") from error
        for name, room in rooms.items():
            if room.retention is not None and room.retention > self._retention:
                raise SetupError(
                    f"the rooms file {self._path}: rooms.{name} asks for a retention of {room.retention:g} s, and the "
                    f"log keeps finals for {self._retention:g} s: raise captions_retention, or lower it"
                )
        return rooms
