"""What another worker said of an utterance before this one took it over: its stable words stand."""

import asyncio
from collections.abc import Sequence

import structlog

from captions.caption import CaptionId
from captions.errors import RecordError
from captions.messages import CaptionMessage
from captions.ports.log import Log
from captions.records import PARTIALS, read_room_event, stable_words
from captions.words import Word
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)


async def recall(log: Log, utterances: Sequence[Utterance], since: float) -> None:
    """Give each of ``utterances`` the stable words of its last partial since epoch second ``since``, where it has one.

    Reads each partition once. Raises ``LogError``.
    """
    partitions = {log.partition_of(PARTIALS, utterance.id.room) for utterance in utterances}
    stable: dict[CaptionId, list[str]] = {}
    for found in await asyncio.gather(*(_stable_words(log, partition, since) for partition in partitions)):
        stable |= found
    for utterance in utterances:
        utterance.revision.recall([Word(text) for text in stable.get(utterance.id, [])])


async def _stable_words(log: Log, partition: int, since: float) -> dict[CaptionId, list[str]]:
    start = await log.offset_at(PARTIALS, partition, since)
    end = (await log.bounds(PARTIALS, partition)).end
    stable: dict[CaptionId, list[str]] = {}
    if start >= end:
        return stable
    async for entry in log.read(PARTIALS, partition, start):
        try:
            event = read_room_event(entry.record)
            if isinstance(event, CaptionMessage):
                stable[CaptionId(event.room, event.track, event.utterance)] = stable_words(entry.record)
        except RecordError as error:
            logger.warning("record_skipped", partition=partition, offset=entry.offset, error=str(error))
        if entry.offset >= end - 1:
            break
    return stable
