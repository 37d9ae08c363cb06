"""One publisher's session. It outlives the connections that feed it.

``feed`` takes audio bytes. The session's own task sends them through decoder, detector and segmenter to the log, and
advances the acknowledged offset when they are safe there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from captions.audio import to_seconds
from captions.errors import Internal, LivecaptionsError, Refusal, TooLarge
from captions.session import SessionSettings
from streamer.audio.decoder import AudioDecoder, Decoded
from streamer.audio.levels import Levels
from streamer.event_timer import EARLY, EventTimer
from streamer.limits import Meter
from streamer.sessions.lifecycle import TAKES_AUDIO, WRITTEN, Event, State, after
from streamer.sessions.recorder import Recorder

logger = structlog.get_logger(__name__)

MARK_INTERVAL = 0.5
"""Seconds between two marks during silence. With a mark on the log, any gateway can continue from there."""

HELD_INTERVAL = 2.0
"""Seconds between two marks if no audio arrives. They show other gateways that the track is held."""

LINGER = 0.5
"""Seconds after which audio is processed even if it is too short to complete another piece."""


SLOWER = "send no faster than it is acknowledged"
STREAMABLE = "send a container that can be decoded while it arrives: webm, ogg, wav, flac, mp3, fragmented mp4"


@dataclass
class Session:
    """One session at this gateway.

    It begins at the position of ``recorder``. ``samples`` is the number of samples decoded in the session so far,
    including those at other gateways. After ``stall_timeout`` seconds without audio the open utterance ends. At most
    ``max_unacknowledged`` bytes may wait for their acknowledgement. ``meter`` counts what the session sends for the one
    who began it here.
    ``failure`` is why the session failed: an error in its audio, or one of this server.
    """

    recorder: Recorder
    decoder: AudioDecoder
    stall_timeout: float
    max_unacknowledged: int
    meter: Meter
    samples: int = 0
    state: State = State.FED
    failure: Refusal | None = None

    def __post_init__(self) -> None:
        self.track = self.recorder.track
        self.listener = self.recorder.listener
        self.wake = self.recorder.wake
        self.received = self.recorder.acknowledged
        self._clock = self.recorder.clock
        self._probe = self.recorder.probe
        self._skip = 0
        self._received_at = self._decoded_at = self._clock.monotonic()
        self._linger = min(LINGER, self.stall_timeout)
        self._feeding = asyncio.Lock()
        self._begun = False
        self._changed = asyncio.Event()
        self._finalize: str | None = None
        self._flush = False
        self._timer = EventTimer(self.decoder.ready)
        self._levels = Levels(self.decoder.warnings)
        self._task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """The id with which a publisher resumes the session."""
        return self.settings.session

    @property
    def seconds(self) -> float:
        """The duration of the session's audio so far, in seconds."""
        return to_seconds(self.samples)

    @property
    def settings(self) -> SessionSettings:
        """The settings of utterances that begin from now on."""
        return self.recorder.settings

    @property
    def acknowledged(self) -> int:
        """The number of bytes, from the stream's first, that are on the log or were silence."""
        return self.recorder.acknowledged

    @property
    def movable(self) -> bool:
        """Whether another gateway can continue the session. It cannot decode a container from the middle."""
        return self.recorder.offset_of is not None and self.takes_audio

    @property
    def takes_audio(self) -> bool:
        """Whether the session still takes bytes: it has not been finished or moved and has not failed."""
        return self.state in TAKES_AUDIO

    @property
    def written(self) -> bool:
        """Whether all audio that the session took is on the log."""
        return self.state in WRITTEN

    def on(self, event: Event) -> None:
        """Change the session's state after an event. Raises ``ImpossibleTransitionError``."""
        self.state = after(self.state, event)
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self.wake.set()

    async def until_written(self) -> None:
        """Wait until all audio that the session took is on the log."""
        while not self.written:
            await self._changed.wait()

    def start(self, begin: Callable[[], Awaitable[None]]) -> None:
        """Start the session's task: ``begin`` comes first, and no audio is processed before it is done."""
        self._task = asyncio.create_task(self._run(begin), name=f"session {self.id}")

    async def begun(self) -> None:
        """Return once ``begin`` is done, or the session has failed."""
        while not (self._begun or self.written):
            await self._changed.wait()

    async def feed(self, data: bytes) -> None:
        """Take the next bytes of the audio stream. If the call is cancelled, none of them are taken.

        Bytes that come after ``finish`` are ignored and never acknowledged. Raises ``TooLarge`` if too many bytes
        wait, and the session's ``failure`` if it has failed.
        """
        async with self._feeding:
            if self.failure is not None:
                raise self.failure
            data = self._without_repeated(data)
            if not data or not self.takes_audio:
                return
            waiting = self.received + len(data) - self.acknowledged
            if waiting > self.max_unacknowledged:
                advice = SLOWER if self.recorder.offset_of is not None else STREAMABLE
                raise TooLarge(f"{waiting} bytes could not be acknowledged; {advice}")
            await self.decoder.feed(data)
            self._received_at = self._clock.monotonic()
            self.received += len(data)

    def _without_repeated(self, data: bytes) -> bytes:
        """``data`` without the bytes that an earlier connection sent already."""
        held = min(self._skip, len(data))
        self._skip -= held
        return data[held:] if held else data

    @property
    def safe(self) -> int:
        """The offset to acknowledge. After a resume it covers no bytes that the client has yet to send again."""
        return min(self.acknowledged, self.received - self._skip)

    async def resume(self) -> int:
        """Resume for a new connection, and return the byte offset from which the publisher has to send.

        Bytes after that offset that an earlier connection sent already are skipped. Waits until the last ``feed`` of
        the earlier connection is complete, because it determines how many bytes these are.
        """
        async with self._feeding:
            self.recorder.resumed()
            self._skip = self.received - self.acknowledged
            return self.acknowledged

    async def finish(self) -> None:
        """End the stream and the open utterance, and wait until all audio is on the log."""
        await self.end()
        await self.until_written()

    async def end(self) -> None:
        """End the stream, without waiting. The open utterance ends with the bytes so far."""
        async with self._feeding:
            self.on(Event.FINISH)
            await self.decoder.finish()

    async def move(self) -> None:
        """Stop taking bytes, and wait until all audio is on the log. The open utterance stays open."""
        async with self._feeding:
            self.on(Event.MOVE)
            self.decoder.ready.set()
        await self.until_written()

    def finalize(self, reason: str) -> None:
        """End the open utterance for ``reason``, once the bytes so far are decoded."""
        self._finalize = reason
        self.decoder.ready.set()

    def muted(self) -> None:
        """Record that the publisher is muted: no warning about silence is due."""
        self._levels.muted()

    def flush(self) -> None:
        """Write the audio so far to the log, because the connection was lost. The open utterance stays open."""
        self._flush = True
        self.decoder.ready.set()

    async def close(self) -> None:
        """Stop immediately and free all resources. Another gateway may continue the session."""
        self.on(Event.RELEASE)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.decoder.close()

    async def _run(self, begin: Callable[[], Awaitable[None]]) -> None:
        try:
            await begin()
            self._begun = True
            self._notify()
            await self._pump()
        except Refusal as refusal:
            await self._fail(refusal)
        except LivecaptionsError as error:
            logger.exception("session_failed", session=self.id)
            await self._fail(Internal(f"the server failed to store the audio: {error}; begin a new session"))
        except Exception:
            logger.exception("session_failed", session=self.id)
            await self._fail(Internal(f"the server failed and logged the cause for session {self.id}; begin a new one"))
        if self.state is not State.GONE:
            self.on(Event.WRITTEN)

    async def _fail(self, refusal: Refusal) -> None:
        self.failure = refusal
        self.on(Event.FAIL)
        try:
            await self.recorder.append(self.listener.finalize("end"))
        except LivecaptionsError:
            logger.exception("utterance_left_open", session=self.id)

    async def _pump(self) -> None:
        ready = self.decoder.ready
        try:
            while True:
                ready.clear()
                if (decoded := self.decoder.take(self._minimum_samples())) is not None:
                    await self._take(decoded)
                    continue
                if self.decoder.over:
                    break
                await self._apply_requests()
                if self.state is State.MOVING:
                    break
                await self._handle_timeouts()
                await ready.wait()
        finally:
            self._timer.cancel()
        if self.state is State.MOVING:
            await self.recorder.append(self.listener.flush())
        else:
            await self.recorder.append(self.listener.finish())
            self.recorder.finish(self.received)
        await self.recorder.mark()

    def _minimum_samples(self) -> int:
        """How many samples to wait for: as many as the next piece needs; one at first, in a pause, or on a request."""
        requested = self.state is State.MOVING or self._flush or self._finalize is not None
        paused = self._clock.monotonic() + EARLY >= self._received_at + self._linger
        return 1 if requested or paused or not self.samples else self.listener.samples_until_next_piece

    async def _handle_timeouts(self) -> None:
        """End an utterance without new audio, write a mark if it is due, and set the timer for the next deadline."""
        now = self._clock.monotonic() + EARLY
        # decoding a container may take much longer than receiving it
        stalled = max(self._received_at, self._decoded_at) + self.stall_timeout
        if self.listener.open and now >= stalled:
            await self.recorder.append(self.listener.finalize("stall"))
        elif now >= self.recorder.last_written + HELD_INTERVAL:
            await self.recorder.mark()
        due = self.recorder.last_written + HELD_INTERVAL
        if self.listener.open:
            due = min(due, stalled)
        if now < (lingered := self._received_at + self._linger):
            due = min(due, lingered)
        self._timer.fire_within(due - self._clock.monotonic())

    async def _take(self, decoded: Decoded) -> None:
        self.samples += len(decoded.pcm)
        self._levels.add(decoded.pcm)
        self._decoded_at = self._clock.monotonic()
        seconds = to_seconds(len(decoded.pcm))
        self._probe.audio_received(seconds, self.track.room.tenant)
        self.meter.heard(seconds)
        pieces = self.listener.push(decoded.pcm)
        self.recorder.decoded(decoded.offset, self._clock.wall() - (self._decoded_at - self._received_at))
        await self.recorder.append(pieces)
        if self._clock.monotonic() - self.recorder.last_written >= MARK_INTERVAL and not self.listener.open:
            await self.recorder.mark()

    async def _apply_requests(self) -> None:
        reason, self._finalize = self._finalize, None
        flush, self._flush = self._flush, False
        if reason is not None:
            await self.recorder.append(self.listener.finalize(reason))
        elif flush:
            await self.recorder.append(self.listener.flush())
