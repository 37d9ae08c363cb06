"""One utterance at the worker: its audio so far, and what was made of it."""

from collections import deque
from dataclasses import dataclass, field
from math import inf

import numpy as np

from captions.audio import SAMPLE_RATE, Pcm
from captions.caption import CaptionId
from captions.history import History
from captions.ports.tracer import Context
from captions.records import AudioSegment
from captions.revision import Revision
from captions.session import SessionSettings


@dataclass(eq=False)
class Utterance:
    """Audio put together from segments. Positions are samples on the track, counts are samples."""

    id: CaptionId
    partition: int
    first_offset: int
    settings: SessionSettings
    start: int
    touched: float
    """When its last segment came, monotonic seconds."""
    trace: Context = field(default_factory=dict)
    decode_trace: Context = field(default_factory=dict)
    """Of its last decode: what is published comes from there."""

    segments: int = 0
    """Number of the last segment plus one."""
    complete: bool = False
    """Its last segment was heard, or is waited for no longer."""
    given_up: int = 0
    """How often its last segment was waited for no longer."""
    ended: float | None = None
    """When its last segment was appended to the log, epoch seconds."""
    final_due: float | None = None
    """When its last segment came, or none was waited for any more, epoch seconds."""
    paused: bool = False
    """The speaker paused at the end of the last segment."""
    decoding: bool = False
    decoded_samples: int = 0
    published: tuple[str, int] = ("", 0)
    partial_at: float | None = None
    """When the last partial was published, epoch seconds."""
    history: History = field(default_factory=History)
    window_start: int = 0
    """Samples from ``start`` that are stable and decoded no more."""
    revision: Revision = field(default_factory=Revision)
    _pieces: list[Pcm] = field(default_factory=list)
    _has_last: bool = False
    _undecoded: deque[tuple[int, float]] = field(default_factory=deque)
    _lag: float = inf
    samples: int = 0

    @property
    def seconds(self) -> float:
        """Audio heard."""
        return self.samples / SAMPLE_RATE

    @property
    def fresh(self) -> int:
        """Samples heard since the last decode."""
        return self.samples - self.decoded_samples

    @property
    def version(self) -> int:
        """The revision of what is said about it."""
        return self.segments + self.given_up

    @property
    def ended_on_the_log(self) -> bool:
        """Its last segment was heard: nothing more can come."""
        return self._has_last

    @property
    def waits_since(self) -> float | None:
        """When the oldest audio that no decode has heard was appended to the log, or else its final was due.

        Epoch seconds; None where it waits for nothing.
        """
        return self._undecoded[0][1] if self._undecoded else self.final_due

    def spoken_at(self, seconds: float) -> float:
        """When what is at ``seconds`` of the track was said, in epoch seconds.

        A stream that is muted without sending silence falls behind the clock, a file sent fast runs ahead of it: what
        counts is how soon audio came to the log, at best, in this utterance.
        """
        return self.settings.origin + seconds + self._lag

    def append(self, segment: AudioSegment, *, now: float, appended: float) -> bool:
        """Take a segment in; False if it was heard before. A hole in the audio is filled with silence.

        ``now`` is monotonic, ``appended`` when the log got it in epoch seconds. One that was given up is open again.
        """
        if segment.number < self.segments or self._has_last:
            return False
        self.complete, self.final_due = False, None
        hole = segment.start - (self.start + self.samples)
        if hole > 0:
            self._add(np.zeros(hole, dtype=np.int16))
        self._add(segment.pcm)
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

    def give_up(self, now: float) -> None:
        """No more audio is waited for since epoch second ``now``."""
        self.complete = True
        self.given_up += 1
        self.final_due = now

    def decoded(self, samples: int) -> None:
        """A decode has heard the first so many samples."""
        while self._undecoded and self._undecoded[0][0] <= samples:
            self._undecoded.popleft()

    def window(self) -> Pcm:
        """The audio that a partial decode hears."""
        return self._audio()[self.window_start :]

    def whole(self) -> Pcm:
        """The audio that the final decode hears."""
        return self._audio()

    def _add(self, pcm: Pcm) -> None:
        self._pieces.append(pcm)
        self.samples += len(pcm)

    def _cut(self, samples: int) -> None:
        self._pieces = [self._audio()[: max(0, samples)]]
        self.samples = len(self._pieces[0])

    def _audio(self) -> Pcm:
        if len(self._pieces) != 1:
            self._pieces = [np.concatenate(self._pieces)] if self._pieces else [np.zeros(0, dtype=np.int16)]
        return self._pieces[0]
