"""Reads a session's progress from the log, whichever gateway holds the session.

Every acknowledgement is on topic ``audio`` before it is sent, in a segment or in a mark, so any gateway can take a
session over from one that died (docs/guarantees.md, 6).
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from captions.audio import NO_AUDIO, Pcm, to_seconds
from captions.errors import RecordError
from captions.fencing import Fence
from captions.log_reading import entries_between
from captions.ports.log import Entry, Log
from captions.ports.tracer import Context
from captions.records import AUDIO, AudioMark, AudioSegment, read_audio
from captions.session import SessionSettings
from captions.track import TrackId


@dataclass(slots=True)
class Progress:
    """The progress of a track's latest session.

    Positions are in samples from the track's first. ``offset`` is in bytes of the session's stream.
    """

    settings: SessionSettings
    position: int
    next_utterance: int
    offset: int
    last_at: float
    """The log's timestamp of the session's latest record, in epoch seconds."""
    epoch: int | None = None
    """The epoch of the gateway that holds the session; None if it writes none."""
    over: bool = False
    open: list[AudioSegment] = field(default_factory=list)
    """The segments of the open utterance."""
    ended: set[int] = field(default_factory=set)
    """Utterances that have ended. Their finals may still be missing."""
    traces: dict[int, tuple[Context, float]] = field(default_factory=dict)
    """For each utterance its trace context, and when it began in epoch seconds."""

    @property
    def open_audio(self) -> Pcm:
        """The audio of the open utterance, shape (samples,)."""
        return np.concatenate([segment.pcm for segment in self.open]) if self.open else NO_AUDIO

    def last_mark(self, track: TrackId) -> AudioMark:
        """The mark with which another gateway ends the session."""
        return replace(self._mark(track), over=True, epoch=self.epoch)

    def claim(self, track: TrackId) -> AudioMark:
        """The mark with which another gateway claims the session."""
        return replace(self._mark(track), claim=True, supersedes=self.epoch)

    def _mark(self, track: TrackId) -> AudioMark:
        return AudioMark(
            track=track,
            utterance=self.next_utterance,
            position=self.position,
            offset=self.offset,
            settings=self.settings,
        )


async def progress_of(log: Log, track: TrackId, since: float, end: int | None = None) -> Progress | None:
    """Read the progress of the track's latest session from its records since epoch second ``since``.

    Reads up to log offset ``end``, or up to now if it is None. Returns None if there are no records that tell the
    progress. Reads the records of other tracks in the partition too, so choose ``since`` as late as possible. Raises
    ``LogError``.
    """
    partition = log.partition_of(AUDIO, track.key)
    progress: Progress | None = None
    fence = Fence()
    async for entry in entries_between(log, AUDIO, partition, since=since, end=end):
        if entry.record.key == track.key:
            progress = _after(progress, entry, fence)
    return progress


async def held_since(log: Log, tracks: Collection[TrackId], since: float) -> set[TrackId]:
    """Return the ``tracks`` that have records on the log since epoch second ``since``. Raises ``LogError``."""
    held: set[str] = set()
    for partition in {log.partition_of(AUDIO, track.key) for track in tracks}:
        async for entry in entries_between(log, AUDIO, partition, since=since):
            held.add(entry.record.key)
    return {track for track in tracks if track.key in held}


def _after(progress: Progress | None, entry: Entry, fence: Fence) -> Progress | None:
    """Apply one more record to ``progress``."""
    try:
        record = read_audio(entry.record)
    except RecordError:
        return progress
    if not fence.admits(entry, record):
        return progress
    epoch = entry.offset if isinstance(record, AudioMark) and record.claim else record.epoch
    begins = False
    if progress is None or (record.settings is not None and record.settings.session != progress.settings.session):
        if record.settings is None:
            return progress  # the session began before ``since``: a later record carries its settings
        progress = Progress(record.settings, 0, 0, 0, entry.timestamp)
        begins = True
    if epoch is not None:
        progress.epoch = epoch
    progress.offset = max(progress.offset, record.offset)
    progress.last_at = entry.timestamp
    if isinstance(record, AudioMark):
        if record.claim and not begins:
            return progress  # its values may be older than those of the records before it
        progress.position, progress.next_utterance, progress.over = record.position, record.utterance, record.over
        if record.over:
            progress.open.clear()
    else:
        _add(progress, record, entry.timestamp)
    return progress


def _add(progress: Progress, segment: AudioSegment, at: float) -> None:
    if segment.first:
        progress.open.clear()
        progress.traces[segment.utterance] = (segment.trace, at - to_seconds(len(segment.pcm)))
    progress.open.append(segment)
    progress.position = segment.start + len(segment.pcm)
    progress.next_utterance = segment.utterance + 1
    if segment.last:
        progress.ended.add(segment.utterance)
        progress.open.clear()
