"""The last partials of utterances that another worker began: their stable words stand."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from captions.caption import CaptionId
from captions.errors import RecordError
from captions.log_reading import entries_between
from captions.messages import CaptionMessage
from captions.ports.log import Log
from captions.quality import shown_words
from captions.records import PARTIALS, read_room_event, stable_words
from captions.track import RoomId, TrackId
from captions.words import Word
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)


async def recall(log: Log, utterances: Sequence[Utterance], since: float) -> None:
    """Give each of ``utterances`` the stable words of its last partial, if it has one since epoch second ``since``.

    Reads each partition of topic ``partials`` once. Raises ``LogError``.
    """
    partitions = {log.partition_of(PARTIALS, utterance.id.track.room.key) for utterance in utterances}
    last_partials: dict[CaptionId, LastPartial] = {}
    for found in await asyncio.gather(*(_last_partials(log, partition, since) for partition in partitions)):
        last_partials |= found
    for utterance in utterances:
        if (last := last_partials.get(utterance.id)) is not None and not utterance.deleted:
            utterance.revision.recall([Word(text) for text in last.stable])
            utterance.history.recall(last.shown)


class LastPartial(NamedTuple):
    """The last partial of an utterance: its stable words, and all words in the form that is compared."""

    stable: list[str]
    shown: list[str]


async def _last_partials(log: Log, partition: int, since: float) -> dict[CaptionId, LastPartial]:
    last_partials: dict[CaptionId, LastPartial] = {}
    async for entry in entries_between(log, PARTIALS, partition, since=since):
        try:
            event = read_room_event(entry.record)
            if isinstance(event, CaptionMessage):
                of = CaptionId(TrackId(RoomId.from_key(entry.record.key), event.track), event.utterance)
                last_partials[of] = LastPartial(stable_words(entry.record), shown_words(event))
        except RecordError as error:
            logger.warning("record_skipped", partition=partition, offset=entry.offset, error=str(error))
    return last_partials
