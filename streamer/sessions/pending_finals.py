"""Utterances that have ended but have no final yet. ``done`` waits for them, and old ones are a sign of overload."""

import asyncio

from captions.caption import CaptionId
from captions.ports.clock import Clock
from captions.track import TrackId

LOST_AFTER = 300.0
"""Seconds after which a final counts as lost. Otherwise a single lost final would look like permanent overload."""


class PendingFinals:
    """The utterances of this gateway's sessions whose finals are still missing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[CaptionId, float] = {}
        self._changed = asyncio.Event()

    def ended(self, utterance: CaptionId, ahead: float = 0.0) -> None:
        """Start to wait for the utterance's final: its last segment is being written to the log.

        ``ahead`` is how many seconds sooner the audio arrived than it could have been spoken. The wait counts from
        the later time, so that a publisher that sends an hour at once does not look like overload.
        """
        self._since[utterance] = self._clock.monotonic() + ahead

    def final(self, utterance: CaptionId) -> None:
        """Stop waiting for the utterance: its final has arrived."""
        if self._since.pop(utterance, None) is not None:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    @property
    def count(self) -> int:
        """The number of missing finals."""
        return len(self._since)

    def longest_wait(self) -> float:
        """How long the oldest final has been missing, in seconds; 0 if none is."""
        now = self._clock.monotonic()
        for utterance in [late for late, since in self._since.items() if now - since > LOST_AFTER]:
            self.final(utterance)
        return max(0.0, now - min(self._since.values(), default=now))

    def awaited(self, track: TrackId) -> int:
        """The number of missing finals of this track."""
        return sum(utterance.track == track for utterance in self._since)

    def waits_for(self, track: TrackId) -> bool:
        """Whether a final of this track is missing."""
        return self.awaited(track) > 0

    async def settled(self, track: TrackId) -> None:
        """Wait until no final of the track is missing."""
        while self.waits_for(track):
            await self._changed.wait()

    async def all_settled(self) -> None:
        """Wait until no final of any track is missing."""
        while self._since:
            await self._changed.wait()
