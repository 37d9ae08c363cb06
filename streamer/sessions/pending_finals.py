"""Utterances that were ended and have no final yet: what ``done`` waits for, and how overload is seen."""

import asyncio

from captions.caption import CaptionId
from captions.ports.clock import Clock
from captions.track import TrackId

LOST_AFTER = 300.0
"""Seconds after which a final is no longer waited for: one that never comes must not look like overload for ever."""


class PendingFinals:
    """The utterances this gateway waits for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[CaptionId, float] = {}
        self._changed = asyncio.Event()

    def ended(self, utterance: CaptionId, ahead: float = 0.0) -> None:
        """The last segment of the utterance goes onto the log, ``ahead`` seconds before it could have been spoken.

        A final is late from then on: who sends an hour at once waits long, and says nothing of the others' waits.
        """
        self._since[utterance] = self._clock.monotonic() + ahead

    def final(self, utterance: CaptionId) -> None:
        """The utterance has its final."""
        if self._since.pop(utterance, None) is not None:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    @property
    def count(self) -> int:
        """How many finals are waited for."""
        return len(self._since)

    def longest_wait(self) -> float:
        """Seconds that the oldest of them has been waited for."""
        now = self._clock.monotonic()
        for utterance in [late for late, since in self._since.items() if now - since > LOST_AFTER]:
            self.final(utterance)
        return max(0.0, now - min(self._since.values(), default=now))

    def awaited(self, track: TrackId) -> int:
        """How many finals of this track are still to come."""
        return sum(utterance.track == track for utterance in self._since)

    def waits_for(self, track: TrackId) -> bool:
        """Whether a final of this track is still to come."""
        return self.awaited(track) > 0

    async def settled(self, track: TrackId) -> None:
        """Return when no final of the track is to come any more."""
        while self.waits_for(track):
            await self._changed.wait()

    async def all_settled(self) -> None:
        """Return when no final of any track is to come any more."""
        while self._since:
            await self._changed.wait()
