"""What one session puts on the log: the pieces of its utterances, and marks of how far it has come."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from captions.audio import to_seconds
from captions.caption import CaptionId
from captions.listener import Listener
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.tracer import NO_CONTEXT, Tracer
from captions.records import AUDIO, AudioMark, AudioSegment, write_audio, write_mark
from captions.segmenter import Piece
from captions.session import SessionSettings
from captions.track import TrackId
from streamer.sessions.safe_offset import SafeOffset
from streamer.sessions.stream_time import StreamTime

MOST_OPENED = 16
"""Beginnings of utterances that are kept while no connection asks for them."""


@dataclass
class Recorder:
    """Writes what ``listener`` heard to the log; the first ``acknowledged`` bytes of the stream are on it.

    ``on_ended`` is called with each utterance whose last segment goes onto the log, and how many seconds before it
    could have been spoken. ``offset_of`` tells how many bytes the first so many samples account for, where that can be
    known from the format alone. One that was taken over begins with what another gateway ``acknowledged``, which sent
    ``reopened`` first of the utterance in progress. ``epoch`` is the offset of this gateway's claim on the session.
    ``opened`` holds the positions at which utterances began, until they are taken. ``wake`` is set whenever more is
    acknowledged or an utterance begins.
    """

    track: TrackId
    settings: SessionSettings
    listener: Listener
    log: Log
    clock: Clock
    probe: Probe
    tracer: Tracer
    on_ended: Callable[[int, float], None]
    offset_of: Callable[[int], int] | None = None
    acknowledged: int = 0
    reopened: AudioSegment | None = None
    epoch: int | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.last_written = -inf
        """When the log last got something of the session, on the clock."""
        self.opened: deque[int] = deque(maxlen=MOST_OPENED)
        self._utterance_start = self.reopened.start if self.reopened is not None else 0
        self._trace = self.reopened.trace if self.reopened is not None else NO_CONTEXT
        self._safe = SafeOffset(self.acknowledged, self.listener.position, self.offset_of)
        self._time = StreamTime(self.settings.origin)
        if self.acknowledged:
            self.resumed()

    def resumed(self) -> None:
        """The publisher is back."""
        self._time.resumed(self.clock.wall())

    def decoded(self, offset: int, wall: float) -> None:
        """All that the listener heard, the decoder's bytes before ``offset``, had come at epoch second ``wall``."""
        self._time.arrived(to_seconds(self.listener.position), wall)
        if self._time.origin != self.settings.origin:  # of the utterances that begin from now on
            self.settings = replace(self.settings, origin=self._time.origin)
        self._safe.decoded(self.listener.position, offset)

    def finish(self, offset: int) -> None:
        """The stream is over, and every byte of it before ``offset`` is heard."""
        self._safe.finish(offset)

    async def append(self, pieces: Sequence[Piece]) -> None:
        """Put pieces on the log. Raises ``LogError``."""
        for piece in pieces:
            began = self.clock.monotonic()
            if piece.last:
                ahead = self._time.ahead(to_seconds(self.listener.position), self.clock.wall())
                self.on_ended(piece.utterance, ahead)  # before the append: its final may come at once
            self._follow(piece)
            segment = self._segment(piece)
            await self.log.append(AUDIO, write_audio(segment))
            self._on_log(segment.offset)
            self.probe.segment_logged(to_seconds(len(piece.pcm)), self.clock.monotonic() - began)
            if piece.last:
                self.probe.utterance_ended(self._duration(piece), piece.reason or "end")
        self._safe.settle(self.listener.settled)

    async def claim(self) -> None:
        """Put on the log that this gateway holds the session: whatever another writes of it from now on is void.

        Raises ``LogError``.
        """
        self.epoch = await self.log.append(AUDIO, write_mark(self._mark(claim=True)))
        self._on_log(self._safe.offset)

    async def mark(self, *, over: bool = False) -> None:
        """Put on the log how far the session has come; ``over``: that it has ended. Raises ``LogError``."""
        mark = self._mark(over=over)
        await self.log.append(AUDIO, write_mark(mark))
        self._on_log(mark.offset)

    def _mark(self, *, over: bool = False, claim: bool = False) -> AudioMark:
        return AudioMark(
            track=self.track,
            utterance=self.listener.next_utterance,
            position=self.listener.settled,
            offset=self._safe.offset,
            settings=self.settings,
            over=over,
            claim=claim,
            epoch=self.epoch,
        )

    def _on_log(self, offset: int) -> None:
        """The log tells any gateway that the session has come to ``offset``."""
        self.last_written = self.clock.monotonic()
        if offset > self.acknowledged:
            self.acknowledged = offset
            self.wake.set()

    def _follow(self, piece: Piece) -> None:
        """Trace the utterance that the piece opens or ends."""
        utterance = CaptionId(self.track, piece.utterance)
        if piece.number == 0:
            self._utterance_start = piece.start
            self.opened.append(piece.start)
            self.wake.set()
            self._trace = self.tracer.utterance_opened(utterance, to_seconds(self.listener.position - piece.start))
        if piece.last:
            self.tracer.utterance_ended(utterance, self._duration(piece), piece.reason or "end")

    def _duration(self, last: Piece) -> float:
        """Seconds of the utterance that the piece ends."""
        end = last.end if last.end is not None else last.start + len(last.pcm)
        return to_seconds(end - self._utterance_start)

    def _segment(self, piece: Piece) -> AudioSegment:
        return AudioSegment(
            track=self.track,
            utterance=piece.utterance,
            number=piece.number,
            start=piece.start,
            pcm=piece.pcm,
            offset=self._safe.at(piece.start + len(piece.pcm)),
            last=piece.last,
            end=piece.end,
            paused=piece.paused,
            settings=self.settings if piece.number == 0 else None,
            epoch=self.epoch,
            trace=self._trace,
        )
