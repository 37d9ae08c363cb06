"""Utterances whose audio stopped coming: their gateway is gone, or only the log is."""

import asyncio

import structlog

from captions.errors import LogError
from captions.ports.log import Log
from captions.records import AUDIO
from inference.utterances import Utterances

logger = structlog.get_logger(__name__)

LOOKS = 3
"""Looks at the log within the timeout: one that fails starts it anew, so an outage is seen before it can end unseen."""

ANSWER_WITHIN = 2.0
"""Seconds."""


class Orphans:
    """Finds them. A gateway that lives puts something on the log every few seconds, once it can."""

    def __init__(self, log: Log, timeout: float) -> None:
        self._log = log
        self._timeout = timeout
        self._looked: dict[int, float] = {}

    async def give_up(self, utterances: Utterances, now: float, wall: float) -> None:
        """Wait no longer for the rest of those that nothing came of for the timeout, while the log could be read.

        ``now`` is monotonic, ``wall`` the same in epoch seconds.
        """
        silent = [u for u in utterances if not u.complete and now - u.touched > self._timeout / LOOKS]
        due = {u.partition for u in silent if now - self._looked.get(u.partition, 0.0) > self._timeout / LOOKS}
        self._looked |= dict.fromkeys(due, now)
        all_heard = dict(zip(due, await asyncio.gather(*(self._heard_all(p, utterances) for p in due)), strict=True))
        for utterance in silent:
            if not all_heard.get(utterance.partition, True):
                utterance.touched = now
            elif all_heard.get(utterance.partition) and now - utterance.touched > self._timeout:
                logger.warning("orphan_finalised", **utterance.id.track.describe())
                utterance.give_up(wall)

    async def _heard_all(self, partition: int, utterances: Utterances) -> bool:
        """Whether the log answers, and holds nothing that was not read."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                end = (await self._log.bounds(AUDIO, partition)).end
        except (LogError, TimeoutError) as error:
            logger.warning("orphans_not_known", partition=partition, error=str(error) or "the log does not answer")
            return False
        return end <= utterances.position(partition)
