"""One publisher's session: it outlives the connections that feed it.

Bytes come in through ``feed``; a task of the session's own pumps them through decoder, detector and segmenter
onto the log, and moves the acknowledged offset when they are safe there.
"""

import asyncio
from dataclasses import dataclass

import structlog

from captions.audio import to_seconds
from captions.errors import Internal, LivecaptionsError, Refusal, TooLarge
from captions.session import SessionSettings
from streamer.audio.decoder import AudioDecoder, Decoded
from streamer.audio.levels import Levels
from streamer.event_timer import EARLY, EventTimer
from streamer.sessions.lifecycle import TAKES_AUDIO, WRITTEN, Event, State, after
from streamer.sessions.recorder import Recorder

logger = structlog.get_logger(__name__)


MARK_INTERVAL = 0.5
"""Seconds between two marks where nobody speaks: what is acknowledged is on the log, so that any gateway knows it."""

HELD_INTERVAL = 2.0
"""Seconds between two marks where nothing is heard at all: others see that the track is held."""

LINGER = 0.5
"""Seconds after which audio is heard that was waiting for more, too little to bring another piece by itself."""


@dataclass
class Session:
    """State of one session, which begins where ``recorder`` stands, with ``samples`` samples heard elsewhere.

    ``stall_timeout`` is the seconds without audio that end an utterance, ``max_unacknowledged`` how many bytes may
    wait, ``tenant`` that of its token. ``failure`` is what was wrong with its audio, or what failed here.
    """

    recorder: Recorder
    decoder: AudioDecoder
    stall_timeout: float
    max_unacknowledged: int
    tenant: str | None = None
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
        self._came = self._heard_at = self._clock.monotonic()
        self._linger = min(LINGER, self.stall_timeout)
        self._feeding = asyncio.Lock()
        self._changed = asyncio.Event()
        self._finalize: str | None = None
        self._flush = False
        self._timer = EventTimer(self.decoder.ready)
        self._levels = Levels(self.decoder.warnings)
        self._task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """The name by which a publisher resumes it."""
        return self.settings.session

    @property
    def seconds(self) -> float:
        """Audio heard in this session."""
        return to_seconds(self.samples)

    @property
    def settings(self) -> SessionSettings:
        """Those of the utterances that begin from now on."""
        return self.recorder.settings

    @property
    def acknowledged(self) -> int:
        """The first so many bytes are on the log, or were silence."""
        return self.recorder.acknowledged

    @property
    def movable(self) -> bool:
        """Whether another gateway can go on with it: a container cannot be taken up in its middle."""
        return self.recorder.offset_of is not None and self.takes_audio

    @property
    def takes_audio(self) -> bool:
        """Whether bytes that come are taken; else it was finished or moved, or it failed."""
        return self.state in TAKES_AUDIO

    @property
    def written(self) -> bool:
        """Whether all that it took is on the log."""
        return self.state in WRITTEN

    def on(self, event: Event) -> None:
        """Something happened to it: change its state as the table says. Raises ``ImpossibleTransitionError``."""
        self.state = after(self.state, event)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self.wake.set()

    async def until_written(self) -> None:
        """Return once all that it took is on the log."""
        while not self.written:
            await self._changed.wait()

    def start(self) -> None:
        """Begin to pump."""
        self._task = asyncio.create_task(self._run(), name=f"session {self.id}")

    async def feed(self, data: bytes) -> None:
        """Bytes of the audio stream, in order; a call that is cancelled took none of them.

        Raises what is wrong with them, and ``TooLarge`` where too many wait. After ``finish`` they are passed over
        and never acknowledged.
        """
        async with self._feeding:
            if self.failure is not None:
                raise self.failure
            data = self._news(data)
            if not data or not self.takes_audio:
                return
            waiting = self.received + len(data) - self.acknowledged
            if waiting > self.max_unacknowledged:
                advice = (
                    "send a container that can be decoded while it arrives: webm, ogg, wav, flac, mp3, fragmented mp4"
                    if self.recorder.offset_of is None
                    else "send no faster than it is acknowledged"
                )
                raise TooLarge(f"{waiting} bytes could not be acknowledged; {advice}")
            await self.decoder.feed(data)
            self._came = self._clock.monotonic()
            self.received += len(data)

    def _news(self, data: bytes) -> bytes:
        """``data`` without the bytes that an earlier connection brought already."""
        held = min(self._skip, len(data))
        self._skip -= held
        return data[held:] if held else data

    @property
    def safe(self) -> int:
        """The offset to acknowledge: after a resume, no bytes that the client has not sent again yet."""
        return min(self.acknowledged, self.received - self._skip)

    async def resume(self) -> int:
        """A publisher comes back: the offset it goes on from. Bytes that are held already will be passed over.

        Waits for the last feed of the connection before, or its end: it decides what is held.
        """
        async with self._feeding:
            self.recorder.resumed()
            self._skip = self.received - self.acknowledged
            return self.acknowledged

    async def finish(self) -> None:
        """No more bytes: end the open utterance with what was fed, and return when that is on the log."""
        await self.end()
        await self.until_written()

    async def end(self) -> None:
        """No more bytes: the open utterance is ended with what was fed, and the session is finished after that."""
        async with self._feeding:
            self.on(Event.FINISH)
            await self.decoder.finish()

    async def move(self) -> None:
        """No more bytes, and the open utterance stays open: all that another gateway goes on from is on the log."""
        async with self._feeding:
            self.on(Event.MOVE)
            self.decoder.ready.set()
        await self.until_written()

    def finalize(self, reason: str) -> None:
        """End the open utterance once what was fed so far is decoded."""
        self._finalize = reason
        self.decoder.ready.set()

    def muted(self) -> None:
        """The publisher is muted: its silence is no fault."""
        self._levels.muted()

    def flush(self) -> None:
        """Put what was fed so far on the log: the connection was lost."""
        self._flush = True
        self.decoder.ready.set()

    async def close(self) -> None:
        """Stop at once and free what is held; another gateway may go on with it."""
        self.on(Event.RELEASE)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.decoder.close()

    async def _run(self) -> None:
        try:
            await self._pump()
        except Refusal as refusal:
            await self._fail(refusal)
        except LivecaptionsError as error:
            logger.exception("session_failed", session=self.id)
            await self._fail(Internal(f"the audio could not be kept: {error}; begin a new session"))
        except Exception:
            logger.exception("session_failed", session=self.id)
            await self._fail(Internal(f"something went wrong here, logged under session {self.id}; begin a new one"))
        finally:
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
        if self.recorder.epoch is None:
            await self.recorder.claim()
        else:
            await self.recorder.mark()  # others see at once that the track is held
        ready = self.decoder.ready
        try:
            while True:
                ready.clear()
                if (decoded := self.decoder.take(self._enough())) is not None:
                    await self._take(decoded)
                    continue
                if self.decoder.over:
                    break
                await self._apply_requests()
                if self.state is State.MOVING:
                    break
                await self._keep_time()
                await ready.wait()
        finally:
            self._timer.cancel()
        if self.state is State.MOVING:
            await self.recorder.append(self.listener.flush())
        else:
            await self.recorder.append(self.listener.finish())
            self.recorder.finish(self.received)
        await self.recorder.mark()

    def _enough(self) -> int:
        """Samples that are worth hearing: any where something is asked for, where the stream begins or has paused."""
        asked = self.state is State.MOVING or self._flush or self._finalize is not None
        paused = self._clock.monotonic() + EARLY >= self._came + self._linger
        return 1 if asked or paused or not self.samples else self.listener.samples_until_next_piece

    async def _keep_time(self) -> None:
        """End an utterance whose audio stopped coming, mark where it is time, and wake the pump for what is due."""
        now = self._clock.monotonic() + EARLY
        stalled = max(self._came, self._heard_at) + self.stall_timeout  # a container may be decoded long after it came
        if self.listener.open and now >= stalled:
            await self.recorder.append(self.listener.finalize("stall"))
        elif now >= self.recorder.last_written + HELD_INTERVAL:
            await self.recorder.mark()
        due = self.recorder.last_written + HELD_INTERVAL
        if self.listener.open:
            due = min(due, stalled)
        if now < (heard_out := self._came + self._linger):
            due = min(due, heard_out)
        self._timer.fire_within(due - self._clock.monotonic())

    async def _take(self, decoded: Decoded) -> None:
        self.samples += len(decoded.pcm)
        self._levels.add(decoded.pcm)
        self._heard_at = self._clock.monotonic()
        self._probe.audio_received(to_seconds(len(decoded.pcm)), self.tenant)
        pieces = self.listener.push(decoded.pcm)
        self.recorder.decoded(decoded.offset, self._clock.wall() - (self._heard_at - self._came))
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
