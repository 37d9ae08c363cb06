"""What the log tells of a track: how far its session has come, whichever gateway holds it.

Every acknowledgement is on topic ``audio`` before it is sent, in a segment or in a mark, so that any gateway can take a
session over from one that died (DESIGN, guarantee 6).
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
    """The track's latest session. Positions are samples on the track, ``offset`` bytes of the session's stream."""

    settings: SessionSettings
    position: int
    next_utterance: int
    offset: int
    last_at: float
    """When the log last got something of it, epoch seconds."""
    over: bool = False
    open: list[AudioSegment] = field(default_factory=list)
    """Segments of the utterance in progress."""
    ended: set[int] = field(default_factory=set)
    """Utterances that were ended; their finals may be on the way."""
    traces: dict[int, tuple[Context, float]] = field(default_factory=dict)
    """The traces of its utterances, and the epoch seconds at which these began."""

    @property
    def open_audio(self) -> Pcm:
        """The audio of the utterance in progress."""
        return np.concatenate([segment.pcm for segment in self.open]) if self.open else NO_AUDIO

    def last_mark(self, track: TrackId) -> AudioMark:
        """The mark that ends the session from outside."""
        return replace(self._mark(track), over=True)

    def claim(self, track: TrackId) -> AudioMark:
        """The mark with which another gateway claims the session."""
        return replace(self._mark(track), claim=True)

    def _mark(self, track: TrackId) -> AudioMark:
        return AudioMark(
            track=track,
            utterance=self.next_utterance,
            position=self.position,
            offset=self.offset,
            settings=self.settings,
        )


async def progress_of(log: Log, track: TrackId, since: float, end: int | None = None) -> Progress | None:
    """Read what the log got of the track since epoch second ``since``, before offset ``end`` or up to now.

    None where that tells nothing. Raises ``LogError``. Reads the partition from there, other tracks' records too: ask
    for no more than is needed.
    """
    partition = log.partition_of(AUDIO, track.key)
    progress: Progress | None = None
    fence = Fence()
    async for entry in entries_between(log, AUDIO, partition, since=since, end=end):
        if entry.record.key == track.key:
            progress = _after(progress, entry, fence)
    return progress


async def held_since(log: Log, tracks: Collection[TrackId], since: float) -> set[TrackId]:
    """Those of ``tracks`` of which the log got audio or a mark since epoch second ``since``. Raises ``LogError``."""
    held: set[str] = set()
    for partition in {log.partition_of(AUDIO, track.key) for track in tracks}:
        async for entry in entries_between(log, AUDIO, partition, since=since):
            held.add(entry.record.key)
    return {track for track in tracks if track.key in held}


def _after(progress: Progress | None, entry: Entry, fence: Fence) -> Progress | None:
    """``progress`` after one more record."""
    try:
        record = read_audio(entry.record)
    except RecordError:
        return progress
    if not fence.admits(entry, record):
        return progress
    begins = False
    if progress is None or (record.settings is not None and record.settings.session != progress.settings.session):
        if record.settings is None:
            return progress  # begun before what is read: its first record with settings says more
        progress = Progress(record.settings, 0, 0, 0, entry.timestamp)
        begins = True
    progress.offset = max(progress.offset, record.offset)
    progress.last_at = entry.timestamp
    if isinstance(record, AudioMark):
        if record.claim and not begins:
            return progress  # it says who holds the session, from what was known before its last records were read
        progress.position, progress.next_utterance, progress.over = record.position, record.utterance, record.over
        if record.over:
            progress.open.clear()
    else:
        _add(progress, record, entry.timestamp)
    return progress


def _add(progress: Progress, segment: AudioSegment, came: float) -> None:
    if segment.first:
        progress.open.clear()
        progress.traces[segment.utterance] = (segment.trace, came - to_seconds(len(segment.pcm)))
    progress.open.append(segment)
    progress.position = segment.start + len(segment.pcm)
    progress.next_utterance = segment.utterance + 1
    if segment.last:
        progress.ended.add(segment.utterance)
        progress.open.clear()
