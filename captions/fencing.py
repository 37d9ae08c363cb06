"""Which records of a track count, where two gateways believe to hold its session.

A gateway that takes a session over first puts a claim on the log. The claim's offset is the epoch of everything that
the gateway writes afterwards: a fencing token (Kleppmann, Designing Data-Intensive Applications, chapter 8) that the
log itself gives out, so that no two are equal and later ones are higher. Records of an earlier epoch that come after a
claim are those of a gateway that was paused and does not know yet that it lost the session.
"""

from captions.ports.log import Entry
from captions.records import AudioMark, AudioSegment
from captions.track import TrackId

MOST_TRACKS = 10_000
"""Tracks whose epoch is remembered, the latest of them."""


class Fence:
    """Remembers the epoch of each track of one partition, in the order of its offsets."""

    def __init__(self) -> None:
        self._epochs: dict[TrackId, int] = {}

    def admits(self, entry: Entry, record: AudioSegment | AudioMark) -> bool:
        """Whether the record counts. Those without an epoch, of older gateways, always do."""
        epoch = entry.offset if isinstance(record, AudioMark) and record.claim else record.epoch
        if epoch is None:
            return True
        known = self._epochs.pop(record.track, epoch)
        self._epochs[record.track] = max(known, epoch)
        if len(self._epochs) > MOST_TRACKS:
            del self._epochs[next(iter(self._epochs))]
        return epoch >= known
