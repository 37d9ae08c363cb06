"""The open utterances of owned partitions, and how far each partition may be committed."""

from collections.abc import Iterator
from typing import NamedTuple

import structlog

from captions.caption import CaptionId
from captions.deletion import deleted_before
from captions.fencing import Fence
from captions.ports.log import Entry
from captions.records import AudioMark, AudioSegment, read_audio
from captions.track import TrackId
from inference.utterance import Utterance

logger = structlog.get_logger(__name__)

MOST_GIVEN_UP = 1000
"""Utterances that are kept after they were given up, the latest ones: their audio may still come."""

SPOKE_LATELY = 10.0
"""Seconds for which a track counts as a stream after it spoke."""


class Tenure(NamedTuple):
    """One assignment of a partition: the next one has another number.

    ``since`` is when its first entry was appended to the log, in epoch seconds; None before that was read.
    """

    number: int
    since: float | None


class Utterances:
    """Utterances built from entries of topic ``audio``.

    The watermark of a partition is the offset of the first segment of its oldest open utterance. The next owner of the
    partition reads from there and misses nothing.
    """

    def __init__(self) -> None:
        self._tenures: dict[int, Tenure] = {}
        self._assigned = 0
        self._open: dict[CaptionId, Utterance] = {}
        self._given_up: dict[CaptionId, Utterance] = {}
        self._positions: dict[int, int] = {}
        self._fences: dict[int, Fence] = {}
        self._spoke: dict[TrackId, tuple[int, float]] = {}

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self._open.values())

    @property
    def partitions(self) -> list[int]:
        """The owned partitions."""
        return list(self._positions)

    def position(self, partition: int) -> int:
        """The offset of the partition's next entry; 0 where it is not owned."""
        return self._positions.get(partition, 0)

    def tenure(self, partition: int) -> "Tenure | None":
        """The current assignment of the partition; None where it is not owned."""
        return self._tenures.get(partition)

    def streams(self, now: float) -> int:
        """The number of tracks that have an open utterance, or spoke shortly before monotonic second ``now``."""
        self._spoke = {track: spoke for track, spoke in self._spoke.items() if now - spoke[1] <= SPOKE_LATELY}
        return len(self._spoke.keys() | {utterance.id.track for utterance in self})

    @property
    def buffered(self) -> float:
        """Seconds of audio that all open utterances hold."""
        return sum(utterance.held for utterance in self._open.values())

    def assign(self, partition: int, offset: int) -> None:
        """Own the partition, which is read from ``offset``."""
        self.revoke(partition)
        self._positions[partition] = offset
        self._assigned += 1
        self._tenures[partition] = Tenure(self._assigned, None)

    def revoke(self, partition: int) -> None:
        """Own the partition no longer: forget its utterances."""
        self._positions.pop(partition, None)
        self._tenures.pop(partition, None)
        self._fences.pop(partition, None)
        for held in (self._open, self._given_up):
            for key in [key for key, utterance in held.items() if utterance.partition == partition]:
                del held[key]
        self._spoke = {track: spoke for track, spoke in self._spoke.items() if spoke[0] != partition}

    def add(self, entry: Entry, now: float) -> Utterance | None:
        """Add an entry of topic ``audio``. Returns the utterance that it opens, None where it opens none.

        Raises ``RecordError`` for an entry that cannot be read.
        """
        self._positions[entry.partition] = entry.offset + 1
        if (tenure := self._tenures[entry.partition]).since is None:
            self._tenures[entry.partition] = tenure._replace(since=entry.timestamp)
        if (before := deleted_before(entry.record)) is not None:
            self._delete(TrackId.from_key(entry.record.key), before)
            return None
        segment = read_audio(entry.record)
        if not self._fences.setdefault(entry.partition, Fence()).admits(entry, segment):
            logger.warning("record_of_a_lost_session_skipped", **segment.track.describe(), offset=entry.offset)
            return None
        if isinstance(segment, AudioMark):
            return None
        utterance = self._of(segment, entry, now)
        if utterance is None:
            return None
        opened = utterance.segments == 0
        utterance.append(segment, now=now, appended=entry.timestamp)
        self._spoke[segment.track] = entry.partition, now
        return utterance if opened else None

    def _of(self, segment: AudioSegment, entry: Entry, now: float) -> Utterance | None:
        key = CaptionId(segment.track, segment.utterance)
        if (known := self._open.get(key) or self._given_up.get(key)) is not None:
            known.check(segment)
        known = self._open.get(key)
        if known is not None:
            return known
        if (late := self._given_up.pop(key, None)) is not None:
            logger.info("utterance_goes_on", **key.describe())
            late.first_offset = entry.offset  # what came before is final, and committed
            self._open[key] = late
            return late
        if segment.settings is None:
            logger.info("segment_skipped", **key.describe(), segment=segment.number)
            return None
        for earlier in self:
            if earlier.id.track == key.track and not earlier.complete:
                earlier.give_up(entry.timestamp)  # its track went on: no more of its audio will come
        self._given_up = {known: u for known, u in self._given_up.items() if known.track != key.track}
        utterance = Utterance(
            id=key,
            partition=entry.partition,
            first_offset=entry.offset,
            began=entry.offset,
            settings=segment.settings,
            start=segment.start,
            touched=now,
            opened=entry.timestamp,
            trace=segment.trace,
        )
        self._open[key] = utterance
        return utterance

    def _delete(self, track: TrackId, before: int) -> None:
        """Delete the track's utterances that began before offset ``before``. They stay open, for their empty finals."""
        for held in (self._open, self._given_up):
            for utterance in held.values():
                if utterance.id.track == track and utterance.began < before:
                    utterance.delete()

    def finish(self, utterance: Utterance, version: int) -> None:
        """Close the utterance, whose audio up to ``version`` is finished. Newer audio keeps or makes it open."""
        if self._open.get(utterance.id) is not utterance or utterance.version > version:
            return
        del self._open[utterance.id]
        if not utterance.ended_on_the_log:
            self._given_up[utterance.id] = utterance
            if len(self._given_up) > MOST_GIVEN_UP:
                del self._given_up[next(iter(self._given_up))]

    def holds(self, utterance: Utterance) -> bool:
        """Whether the utterance is open and its partition owned."""
        return self._open.get(utterance.id) is utterance

    def watermark(self, partition: int) -> int | None:
        """The offset up to which the partition may be committed; None where it is not owned."""
        position = self._positions.get(partition)
        if position is None:
            return None
        return min((u.first_offset for u in self if u.partition == partition), default=position)
