"""What topic ``captions`` says now of some utterances."""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from captions.caption import CaptionId, Pass
from captions.deletion import DELETION
from captions.errors import RecordError
from captions.log_reading import entries_between
from captions.messages import CaptionMessage
from captions.ports.log import Log
from captions.records import CAPTIONS, read_room_event
from captions.track import RoomId, TrackId

logger = structlog.get_logger(__name__)


class Standing(NamedTuple):
    """Finals: the newest version of each caption, and the newest of pass ``live``."""

    newest: dict[CaptionId, CaptionMessage]
    live: dict[CaptionId, CaptionMessage]


async def standing(log: Log, of: Sequence[CaptionId], since: float) -> Standing:
    """The captions of one room that were appended since epoch second ``since``.

    Raises ``LogError``.
    """
    room = of[0].track.room
    wanted = set(of)
    found = Standing({}, {})
    partition = log.partition_of(CAPTIONS, room.key)
    async for entry in entries_between(log, CAPTIONS, partition, since=since):
        if entry.record.key != room.key or DELETION in entry.record.headers:
            continue
        try:
            event = read_room_event(entry.record)
        except RecordError as error:
            logger.warning("record_skipped", partition=partition, offset=entry.offset, error=str(error))
            continue
        if not isinstance(event, CaptionMessage) or not event.final:
            continue
        caption = CaptionId(TrackId(RoomId.from_key(entry.record.key), event.track), event.utterance)
        if caption not in wanted:
            continue
        for versions in found if event.version.pass_ is Pass.LIVE else (found.newest,):
            if caption not in versions or event.version > versions[caption].version:
                versions[caption] = event
    return found
