"""One utterance at the worker: its audio so far, and its captions."""

from collections import deque
from dataclasses import dataclass, field
from math import inf

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm
from captions.caption import CaptionId
from captions.errors import RecordError
from captions.history import History
from captions.language_choice import Heard
from captions.ports.tracer import Context
from captions.records import AudioSegment
from captions.revision import Revision
from captions.session import SessionSettings

LONGEST_HOLE = 300
"""Seconds without audio within an utterance: nobody pauses for so long, so a segment behind that is wrong."""


@dataclass(eq=False)
class Utterance:
    """The audio of the segments, joined. Positions are samples on the track, counts are samples."""

    id: CaptionId
    partition: int
    first_offset: int
    """The offset from which its audio is read again, unless it is finished."""
    began: int
    """The offset of its first segment."""
    settings: SessionSettings
    start: int
    touched: float
    """When a segment was last appended, in monotonic seconds."""
    opened: float = 0.0
    """When its first segment was appended to the log, in epoch seconds."""
    trace: Context = field(default_factory=dict)
    decode_trace: Context = field(default_factory=dict)
    """The context of its last decode: the parent of what is published."""

    segments: int = 0
    """Number of the last segment plus one."""
    complete: bool = False
    """Its last segment was appended, or was given up."""
    given_up: int = 0
    """How often its last segment was given up."""
    ended: float | None = None
    """When its last segment was appended to the log, in epoch seconds."""
    final_due: float | None = None
    """When its final was due, in epoch seconds: its last segment was appended to the log, or given up."""
    paused: bool = False
    """The speaker paused at the end of the last segment."""
    deleted: bool = False
    """Its room was deleted after it began: its audio is gone, and its final is empty."""
    dropped: bool = False
    """Its audio is not held any more: nobody will decode it."""
    language: str | None = None
    """The language that was found out; None before that, and where the session names one."""
    language_sure: bool = False
    """The language of its partials is settled."""
    heard: Heard | None = None
    """What the finals before its own had said of the session's language when its own was decoded."""
    heard_after: Heard | None = None
    """The same with its own final."""
    decoding: bool = False
    decoded_samples: int = 0
    published: tuple[str, int] = ("", 0)
    partial_at: float | None = None
    """When the last partial was published, in epoch seconds."""
    history: History = field(default_factory=History)
    window_start: int = 0
    """Samples from ``start`` that are stable and no longer decoded."""
    revision: Revision = field(default_factory=Revision)
    _pieces: list[Pcm] = field(default_factory=list)
    _has_last: bool = False
    _undecoded: deque[tuple[int, float]] = field(default_factory=deque)
    _lag: float = inf
    samples: int = 0
    sent: int = 0
    """Samples that were sent: more than ``samples`` where it was cut at a quieter point."""

    @property
    def seconds(self) -> float:
        """Seconds of audio so far."""
        return self.samples / SAMPLE_RATE

    @property
    def held(self) -> float:
        """Seconds of audio that it holds."""
        return 0.0 if self.deleted or self.dropped else self.seconds

    @property
    def fresh(self) -> int:
        """Samples since the last decode."""
        return self.samples - self.decoded_samples

    @property
    def version(self) -> int:
        """The revision that a caption of all audio so far has."""
        return self.segments + self.given_up

    @property
    def ended_on_the_log(self) -> bool:
        """Whether its last segment was appended: no more audio can come."""
        return self._has_last

    @property
    def waits_since(self) -> float | None:
        """Since when it waits for a decode, in epoch seconds; None where it does not.

        That is when its oldest audio that was not decoded was appended to the log, or else when its final was due.
        """
        return self._undecoded[0][1] if self._undecoded else self.final_due

    def spoken_at(self, seconds: float) -> float:
        """When the sound at ``seconds`` of the track was spoken, in epoch seconds.

        A stream that is muted without sending silence falls behind the clock, and a file that is sent fast runs ahead
        of it. So the shortest delay between a segment and the log, in this utterance, is the reference.
        """
        return self.settings.origin + seconds + self._lag

    def check(self, segment: AudioSegment) -> None:
        """Raise ``RecordError`` if the segment cannot be of this utterance: it leaves too long a hole."""
        hole = segment.start - (self.start + self.samples)
        if segment.number >= self.segments and hole > LONGEST_HOLE * SAMPLE_RATE:
            raise RecordError(f"segment {segment.number} leaves a hole of {hole} samples in utterance {self.id}")

    def append(self, segment: AudioSegment, *, now: float, appended: float) -> bool:
        """Append a segment; False if it was appended before. A hole in the audio is filled with silence: ``check`` it.

        ``now`` is in monotonic seconds, ``appended`` is when it was appended to the log in epoch seconds. An utterance
        that was given up is open again.
        """
        if segment.number < self.segments or self._has_last:
            return False
        self.complete, self.final_due = False, None
        hole = segment.start - (self.start + self.samples)
        if hole > 0:
            self._add(np.zeros(hole, dtype=np.int16))
        self._add(segment.pcm)
        self.sent = self.samples
        self.segments = segment.number + 1
        self.paused = segment.paused
        self.touched = now
        self._undecoded.append((self.samples, appended))
        self._lag = min(self._lag, appended - self.settings.origin - (self.start + self.samples) / SAMPLE_RATE)
        if segment.last:
            self.complete = self._has_last = True
            self.ended = self.final_due = appended
            if segment.end is not None:
                self._cut(segment.end - self.start)
        return True

    def delete(self) -> None:
        """Drop what was said, and everything that is still to come of it."""
        self.deleted = True
        self._pieces.clear()
        self.revision, self.history, self.published = Revision(), History(), ("", 0)

    def drop(self) -> None:
        """Let go of its audio, and of all that is still to come of it. What is known of it stays."""
        self.dropped = True
        self._pieces.clear()

    def give_up(self, now: float) -> None:
        """Stop waiting for the last segment, at epoch second ``now``."""
        self.complete = True
        self.given_up += 1
        self.final_due = now

    def decoded(self, samples: int) -> None:
        """The first so many samples were decoded."""
        while self._undecoded and self._undecoded[0][0] <= samples:
            self._undecoded.popleft()

    def window(self) -> Pcm:
        """The audio of a partial decode, shape (samples,). It is empty if it was deleted or dropped."""
        return self._audio()[self.window_start :]

    def whole(self) -> Pcm:
        """The audio of the final decode, shape (samples,). It is empty if it was deleted or dropped."""
        return self._audio()

    def _add(self, pcm: Pcm) -> None:
        if not (self.deleted or self.dropped):
            self._pieces.append(pcm)
        self.samples += len(pcm)

    def _cut(self, samples: int) -> None:
        self._pieces = [self._audio()[: max(0, samples)]]
        self.samples = min(self.samples, max(0, samples))

    def _audio(self) -> Pcm:
        if len(self._pieces) != 1:
            self._pieces = [np.concatenate(self._pieces)] if self._pieces else [np.zeros(0, dtype=np.int16)]
        return self._pieces[0]
