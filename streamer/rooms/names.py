"""Names of rooms in addresses."""

import re

from captions.errors import BadRequest
from captions.explain import NAME_PATTERN, NAMES
from captions.track import RoomId


def room_of(name: str) -> RoomId:
    """The room with this name. Raises ``BadRequest`` if the name is not valid."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise BadRequest(f"room: a name has to be {NAMES}")
    return RoomId(name)
