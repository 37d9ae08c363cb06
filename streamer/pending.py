"""Utterances that were ended and have no final yet: what ``done`` waits for, and how overload is seen."""

import asyncio

from captions.ports.clock import Clock

LOST_AFTER = 300.0
"""Seconds after which a final is no longer waited for: one that never comes must not look like overload for ever."""


class Pending:
    """The utterances this gateway waits for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[tuple[str, str, int], float] = {}
        self._changed = asyncio.Event()

    def ended(self, room: str, track: str, utterance: int, ahead: float = 0.0) -> None:
        """The last segment of this utterance goes onto the log, ``ahead`` seconds before it could have been spoken.

        A final is late from then on: who sends an hour at once waits long, and says nothing of the others' waits.
        """
        self._since[room, track, utterance] = self._clock.monotonic() + ahead

    def final(self, room: str, track: str, utterance: int) -> None:
        """The utterance has its final."""
        if self._since.pop((room, track, utterance), None) is not None:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    @property
    def count(self) -> int:
        """How many finals are waited for."""
        return len(self._since)

    def longest_wait(self) -> float:
        """Seconds that the oldest of them has been waited for."""
        now = self._clock.monotonic()
        for key in [key for key, since in self._since.items() if now - since > LOST_AFTER]:
            self.final(*key)
        return max(0.0, now - min(self._since.values(), default=now))

    def awaited(self, room: str, track: str) -> int:
        """How many finals of this track are still to come."""
        return sum(key[:2] == (room, track) for key in self._since)

    def waits_for(self, room: str, track: str) -> bool:
        """Whether a final of this track is still to come."""
        return self.awaited(room, track) > 0

    async def settled(self, room: str, track: str) -> None:
        """Return when no final of the track is to come any more."""
        while self.waits_for(room, track):
            await self._changed.wait()

    async def all_settled(self) -> None:
        """Return when no final of any track is to come any more."""
        while self._since:
            await self._changed.wait()
