"""Settings of rooms from a TOML file.

::

    [rooms."keynote"]
    vocabulary = ["Kubernetes", "CTranslate2"]
    language = "en"

    [rooms."track-*"]
    language = "de"

A table's name is a room, or a pattern with ``*``; a room of a tenant is ``tenant/room``. The first table that fits
counts.
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
    """The RoomDirectory port over a file, which is read again when it changed.

    Raises ``SetupError`` where the file cannot be read at the start. Later on, a file that cannot be read is logged,
    and what was read before goes on to count.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()
        self._rooms = self._read()

    async def settings_of(self, room: RoomId) -> RoomSettings:
        """The settings of the first table that fits the room."""
        self._refresh()
        fitting = (settings for name, settings in self._rooms.items() if fnmatch.fnmatchcase(room.key, name))
        return next(fitting, RoomSettings())

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
        """What changes when the file does; None where there is none."""
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
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SetupError(f"the rooms file {self._path} is not TOML: {error}") from error
        try:
            return _File.model_validate(content).rooms
        except ValidationError as error:
            raise SetupError(f"the rooms file {self._path}: {explain(error)}") from error
