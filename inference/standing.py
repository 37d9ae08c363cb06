"""What topic ``captions`` says now of some utterances."""

from collections.abc import Sequence

import structlog

from captions.caption import CaptionId
from captions.deletion import DELETION
from captions.errors import RecordError
from captions.log_reading import entries_between
from captions.messages import CaptionMessage
from captions.ports.log import Log
from captions.records import CAPTIONS, read_room_event
from captions.track import RoomId, TrackId

logger = structlog.get_logger(__name__)


async def standing(log: Log, of: Sequence[CaptionId], since: float) -> dict[CaptionId, CaptionMessage]:
    """The newest version of each caption of one room that was appended since epoch second ``since``.

    Raises ``LogError``.
    """
    room = of[0].track.room
    wanted = set(of)
    found: dict[CaptionId, CaptionMessage] = {}
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
        if caption in wanted and (caption not in found or event.version > found[caption].version):
            found[caption] = event
    return found
