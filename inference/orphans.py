"""Utterances whose audio stopped coming, because their gateway is gone."""

import asyncio

import structlog

from captions.errors import LogError
from captions.ports.log import Log
from captions.records import AUDIO
from inference.utterances import Utterances

logger = structlog.get_logger(__name__)

CHECKS = 3
"""Checks of the log within the timeout. A check that fails restarts it: during an outage of the log no audio comes."""

ANSWER_WITHIN = 2.0
"""Seconds."""


class Orphans:
    """Finalises orphans: utterances without new audio for ``timeout`` seconds, while the log could be read.

    A living gateway appends something every few seconds, so silence on a log that answers means that it is gone.
    """

    def __init__(self, log: Log, timeout: float) -> None:
        self._log = log
        self._timeout = timeout
        self._checked: dict[int, float] = {}

    async def give_up(self, utterances: Utterances, now: float, wall: float) -> None:
        """Give up the orphans among ``utterances``.

        ``now`` is in monotonic seconds, ``wall`` is the same time in epoch seconds.
        """
        silent = [u for u in utterances if not u.complete and now - u.touched > self._timeout / CHECKS]
        due = {u.partition for u in silent if now - self._checked.get(u.partition, 0.0) > self._timeout / CHECKS}
        self._checked |= dict.fromkeys(due, now)
        read_all = dict(zip(due, await asyncio.gather(*(self._has_read_all(p, utterances) for p in due)), strict=True))
        for utterance in silent:
            if not read_all.get(utterance.partition, True):
                utterance.touched = now
            elif read_all.get(utterance.partition) and now - utterance.touched > self._timeout:
                logger.warning("orphan_finalised", **utterance.id.track.describe())
                utterance.give_up(wall)

    async def _has_read_all(self, partition: int, utterances: Utterances) -> bool:
        """Whether the log answers and every entry of the partition was read."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                end = (await self._log.bounds(AUDIO, partition)).end
        except (LogError, TimeoutError) as error:
            logger.warning("orphans_not_known", partition=partition, error=str(error) or "the log does not answer")
            return False
        return end <= utterances.position(partition)
