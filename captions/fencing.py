"""Which records of a track count when two gateways believe that they hold its session.

A gateway that begins a session, or takes one over, first puts a claim on the log. The claim's offset is the epoch of
everything that the gateway writes afterwards: a fencing token (Kleppmann, Designing Data-Intensive Applications,
chapter 8) that the log itself issues, so that no two are equal and later ones are higher. Records of an earlier epoch
that follow a claim come from a gateway that was paused and does not know yet that it lost the session.

The claim of a takeover names the epoch that it supersedes, as in compare-and-set. It is void if another claim came
first: its gateway then does not hold the session and writes nothing more.
"""

from typing import NamedTuple

from captions.ports.log import Entry
from captions.records import AudioMark, AudioSegment
from captions.track import TrackId

MAX_TRACKS = 10_000
"""Tracks whose epoch is remembered: the latest ones."""


class _Epoch(NamedTuple):
    """The epoch that counts. ``supersedes`` is set while only its claim was read, which may prove void."""

    number: int
    supersedes: int | None


class Fence:
    """Remembers the epoch of each track of one partition. Show it the records in the order of their offsets."""

    def __init__(self) -> None:
        self._epochs: dict[TrackId, _Epoch] = {}

    def admits(self, entry: Entry, record: AudioSegment | AudioMark) -> bool:
        """Whether the record counts. Records without an epoch come from older gateways and always count."""
        known = self._epochs.get(record.track)
        if isinstance(record, AudioMark) and record.claim:
            if record.supersedes is not None and known is not None and known.number != record.supersedes:
                return False  # another claim came first
            self._remember(record.track, _Epoch(entry.offset, record.supersedes))
            return True
        epoch = record.epoch
        if epoch is None or epoch >= entry.offset:  # the latter is an epoch of a topic that was made anew since
            return True
        if known is None or epoch >= known.number or (known.supersedes is not None and epoch > known.supersedes):
            self._remember(record.track, _Epoch(epoch, None))
            return True
        return False

    def _remember(self, track: TrackId, epoch: _Epoch) -> None:
        self._epochs.pop(track, None)
        self._epochs[track] = epoch
        if len(self._epochs) > MAX_TRACKS:
            del self._epochs[next(iter(self._epochs))]
