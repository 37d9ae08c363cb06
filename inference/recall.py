"""What another worker said of an utterance before this one took it over: its stable words stand."""

import structlog

from captions.errors import RecordError
from captions.messages import CaptionMessage
from captions.ports.log import Log
from captions.records import PARTIALS, read_room_event, stable_words
from captions.words import Word
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)


async def recall(log: Log, utterance: Utterance, since: float) -> None:
    """Give ``utterance`` the stable words of its last partial since epoch second ``since``, if there is one.

    Raises ``LogError``.
    """
    partition = log.partition_of(PARTIALS, utterance.id.room)
    start = await log.offset_at(PARTIALS, partition, since)
    end = (await log.bounds(PARTIALS, partition)).end
    if start >= end:
        return
    stable: list[str] = []
    async for entry in log.read(PARTIALS, partition, start):
        if entry.record.key == utterance.id.room:
            try:
                event = read_room_event(entry.record)
                if isinstance(event, CaptionMessage) and (event.track, event.utterance) == utterance.id[1:]:
                    stable = stable_words(entry.record)
            except RecordError as error:
                logger.warning("record_skipped", partition=partition, offset=entry.offset, error=str(error))
        if entry.offset >= end - 1:
            break
    utterance.revision.recall([Word(text) for text in stable])
