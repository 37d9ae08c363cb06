"""What publishers say to a system, and what they hear of it."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from captions.audio import to_bytes
from captions.records import CAPTIONS, PARTIALS, write_room_event
from captions.track import RoomId
from tests.captions.messages import caption
from tests.streamer.system import Conversation, System
from tests.support import script_of

SCRIPT, PCM = script_of(2, words=4)
AUDIO = to_bytes(PCM)
SAID = " ".join(word.text for word in SCRIPT)
END = '{"type":"end"}'


async def send(conversation: Conversation, audio: bytes, size: int = 6400) -> None:
    for at in range(0, len(audio), size):
        await conversation.socket.send(audio[at : at + size])


def text_of(heard: list[dict[str, object]]) -> str:
    return " ".join(str(m["text"]) for m in heard if m["type"] == "caption" and m["final"])


async def refused(system: System, room: str = "hall", /, **query: object) -> tuple[int, dict[str, object], object]:
    """The status, the body and the time to try again of a refusal."""
    with pytest.raises(InvalidStatus) as error:
        async with system.publisher(room, **query):
            pass
    response = error.value.response
    return response.status_code, json.loads(response.body or b""), response.headers.get("Retry-After")


async def say(system: System, room: RoomId | None = None, /, **fields: object) -> None:
    """Put a caption of these fields on the log, as a worker does."""
    message = caption(**fields)  # type: ignore[arg-type] # a caption's own fields
    record = write_room_event(room or RoomId(message.room), message)
    await system.log.append(CAPTIONS if message.final else PARTIALS, record)
