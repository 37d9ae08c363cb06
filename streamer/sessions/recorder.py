"""Writes one session to the log: the pieces of its utterances, and marks with its progress."""

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
from streamer.sessions.session_terms import SessionTerms
from streamer.sessions.stream_time import StreamTime

MOST_OPENED = 16
"""Beginnings of utterances that are kept until a connection takes them. The oldest are dropped first."""


@dataclass
class Recorder:
    """Writes the utterances that ``listener`` finds to the log.

    ``acknowledged`` is the number of bytes of the stream that are on the log; for a session that was taken over it
    begins with what the other gateway acknowledged. ``reopened`` is then the first segment of the open utterance.
    ``on_ended`` is called before the last segment of an utterance is written, with the utterance and with how many
    seconds sooner its audio arrived than it could have been spoken. ``offset_of`` converts samples to bytes, if the
    format determines it. ``epoch`` is the log offset of this gateway's claim on the session. ``opened`` holds the
    positions, in samples, at which utterances began, until a connection takes them. ``wake`` is set whenever more
    bytes are acknowledged or an utterance begins.
    """

    track: TrackId
    settings: SessionSettings
    listener: Listener
    log: Log
    clock: Clock
    probe: Probe
    tracer: Tracer
    on_ended: Callable[[int, float], None]
    terms: SessionTerms
    offset_of: Callable[[int], int] | None = None
    acknowledged: int = 0
    reopened: AudioSegment | None = None
    epoch: int | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.last_written = -inf
        """When the session's latest record was written, in monotonic seconds."""
        self.opened: deque[int] = deque(maxlen=MOST_OPENED)
        self._utterance_start = self.reopened.start if self.reopened is not None else 0
        self._trace = self.reopened.trace if self.reopened is not None else NO_CONTEXT
        self._safe = SafeOffset(self.acknowledged, self.listener.position, self.offset_of)
        self._time = StreamTime(self.settings.origin)
        if self.acknowledged:
            self.resumed()

    def resumed(self) -> None:
        """Record that the publisher resumed the session."""
        self._time.resumed(self.clock.wall())

    def decoded(self, offset: int, wall: float) -> None:
        """Record that the listener got all bytes before ``offset``, which arrived by epoch second ``wall``."""
        self._time.arrived(to_seconds(self.listener.position), wall)
        if self._time.origin != self.settings.origin:  # applies to utterances that begin from now on
            self.settings = replace(self.settings, origin=self._time.origin)
        self._safe.decoded(self.listener.position, offset)

    def finish(self, offset: int) -> None:
        """Record that the stream ended at ``offset`` and that all its bytes are decoded."""
        self._safe.finish(offset)

    async def append(self, pieces: Sequence[Piece]) -> None:
        """Write pieces to the log. Raises ``LogError``."""
        for piece in pieces:
            began = self.clock.monotonic()
            if piece.last:
                ahead = self._time.ahead(to_seconds(self.listener.position), self.clock.wall())
                self.on_ended(piece.utterance, ahead)  # before the append, because the final may come immediately
            self._follow(piece)
            if piece.number == 0:
                self.settings = replace(self.settings, vocabulary=await self.terms.now())
            segment = self._segment(piece)
            await self.log.append(AUDIO, write_audio(segment))
            self._on_log(segment.offset)
            self.probe.segment_logged(to_seconds(len(piece.pcm)), self.clock.monotonic() - began)
            if piece.last:
                self.probe.utterance_ended(self._duration(piece), piece.reason or "end")
        self._safe.settle(self.listener.settled)

    async def claim(self) -> None:
        """Claim the session for this gateway: records that others write of it from now on are ignored.

        Raises ``LogError``.
        """
        self.epoch = await self.log.append(AUDIO, write_mark(self._mark(claim=True)))
        self._on_log(self._safe.offset)

    async def mark(self, *, over: bool = False) -> None:
        """Write a mark with the session's progress; ``over`` says that it has ended. Raises ``LogError``."""
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
        """Record that a record with this ``offset`` is on the log, so that it may be acknowledged."""
        self.last_written = self.clock.monotonic()
        if offset > self.acknowledged:
            self.acknowledged = offset
            self.wake.set()

    def _follow(self, piece: Piece) -> None:
        """Note and trace the utterance that the piece opens or ends."""
        utterance = CaptionId(self.track, piece.utterance)
        if piece.number == 0:
            self._utterance_start = piece.start
            self.opened.append(piece.start)
            self.wake.set()
            self._trace = self.tracer.utterance_opened(utterance, to_seconds(self.listener.position - piece.start))
        if piece.last:
            self.tracer.utterance_ended(utterance, self._duration(piece), piece.reason or "end")

    def _duration(self, last: Piece) -> float:
        """The duration in seconds of the utterance that the piece ends."""
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
