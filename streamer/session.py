"""One publisher's session: it outlives the connections that feed it.

Bytes come in through ``feed``; a task of the session's own pumps them through decoder, detector and segmenter
onto the log, and moves the acknowledged offset when they are safe there.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from captions.audio import to_seconds
from captions.errors import Internal, LivecaptionsError, Refusal, TooLarge
from captions.listener import Listener
from captions.ports.clock import Clock
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.records import AUDIO, AudioSegment, write_audio
from captions.segmenter import Piece
from captions.session import SessionSettings
from streamer.audio.decoder import AudioDecoder, Decoded

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """Where a session's captions go."""

    room: str
    track: str


@dataclass
class Session:
    """State of one session. ``on_ended`` is called with each utterance whose last segment goes onto the log."""

    place: SessionPlace
    settings: SessionSettings
    decoder: AudioDecoder
    listener: Listener
    log: Log
    clock: Clock
    probe: Probe
    stall_timeout: float
    max_unacknowledged: int
    on_ended: Callable[[int], None]

    received: int = 0
    acknowledged: int = 0
    failure: Refusal | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    heard: int = 0

    def __post_init__(self) -> None:
        self._skip = 0
        self._utterance_start = 0
        self._checkpoints: deque[tuple[int, int]] = deque()
        self._commands: deque[Callable[[], Awaitable[None]]] = deque()
        self._commanded = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """The name by which a publisher resumes it."""
        return self.settings.session

    @property
    def seconds(self) -> float:
        """Audio heard in this session."""
        return to_seconds(self.heard)

    def start(self) -> None:
        """Begin to pump."""
        self._task = asyncio.create_task(self._run(), name=f"session {self.id}")

    async def feed(self, data: bytes) -> None:
        """Bytes of the audio stream, in order. Raises what is wrong with them, and ``TooLarge`` where too many wait."""
        if self.failure is not None:
            raise self.failure
        if self._skip:
            held = min(self._skip, len(data))
            self._skip -= held
            data = data[held:]
            if not data:
                return
        self.received += len(data)
        if self.received - self.acknowledged > self.max_unacknowledged:
            raise TooLarge(
                f"{self.received - self.acknowledged} bytes could not be acknowledged; "
                "send a format that can be decoded while it arrives, and no faster than it is acknowledged"
            )
        await self.decoder.feed(data)

    def resume(self) -> int:
        """A publisher comes back: the offset it goes on from. Bytes that are held already will be passed over."""
        self._skip = self.received - self.acknowledged
        return self.acknowledged

    async def finish(self) -> None:
        """No more bytes: end the open utterance with what was fed; ``finished`` is set when it is on the log."""
        await self.decoder.finish()

    def finalize(self, reason: str) -> None:
        """End the open utterance once what was fed so far is decoded."""
        self._command(lambda: self._append(self.listener.finalize(reason)))

    def flush(self) -> None:
        """Put what was fed so far on the log: the connection was lost."""
        self._command(lambda: self._append(self.listener.flush()))

    def _command(self, command: Callable[[], Awaitable[None]]) -> None:
        self._commands.append(command)
        self._commanded.set()

    async def close(self) -> None:
        """Stop at once and free what is held."""
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
            await self._fail(Internal(f"the audio could not be kept: {error}; resume session {self.id}"))
        except Exception:
            logger.exception("session_failed", session=self.id)
            await self._fail(Internal(f"something went wrong here; it is logged under session {self.id}"))
        finally:
            self.finished.set()
            self.wake.set()

    async def _fail(self, refusal: Refusal) -> None:
        self.failure = refusal
        try:
            await self._append(self.listener.finalize("end"))
        except LivecaptionsError:
            logger.exception("utterance_left_open", session=self.id)

    async def _pump(self) -> None:
        reading = asyncio.create_task(self.decoder.read())
        try:
            while True:
                commanded = asyncio.create_task(self._commanded.wait())
                timeout = self.stall_timeout if self.listener.open else None
                await asyncio.wait({reading, commanded}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    commanded.cancel()
                    decoded = reading.result()
                    if decoded is None:
                        break
                    await self._take(decoded)
                    reading = asyncio.create_task(self.decoder.read())
                elif commanded.done():
                    await self._obey()
                else:
                    commanded.cancel()
                    await self._append(self.listener.finalize("stall"))
        finally:
            reading.cancel()
        await self._append(self.listener.finish())
        self.acknowledged = self.received

    async def _take(self, decoded: Decoded) -> None:
        self.heard += len(decoded.pcm)
        self.probe.audio_received(to_seconds(len(decoded.pcm)))
        pieces = self.listener.push(decoded.pcm)
        self._checkpoints.append((self.listener.heard, decoded.offset))
        await self._append(pieces)

    async def _obey(self) -> None:
        self._commanded.clear()
        while self._commands:
            await self._commands.popleft()()

    async def _append(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            began = self.clock.monotonic()
            if piece.last:
                self.on_ended(piece.utterance)  # before the append: its final may come at once
            await self.log.append(AUDIO, write_audio(self._segment(piece)))
            self.probe.segment_logged(to_seconds(len(piece.pcm)), self.clock.monotonic() - began)
            if piece.number == 0:
                self._utterance_start = piece.start
            if piece.last:
                end = piece.end if piece.end is not None else piece.start + len(piece.pcm)
                self.probe.utterance_ended(to_seconds(end - self._utterance_start), piece.reason or "end")
        settled = self.listener.settled
        before = self.acknowledged
        while self._checkpoints and self._checkpoints[0][0] <= settled:
            self.acknowledged = max(self.acknowledged, self._checkpoints.popleft()[1])
        if self.acknowledged != before:
            self.wake.set()

    def _safe_after(self, piece: Piece) -> int:
        """The offset that is safe once ``piece`` is on the log."""
        end = piece.start + len(piece.pcm)
        return max((offset for heard, offset in self._checkpoints if heard <= end), default=self.acknowledged)

    def _segment(self, piece: Piece) -> AudioSegment:
        return AudioSegment(
            room=self.place.room,
            track=self.place.track,
            utterance=piece.utterance,
            number=piece.number,
            start=piece.start,
            pcm=piece.pcm,
            offset=self._safe_after(piece),
            last=piece.last,
            end=piece.end,
            settings=self.settings if piece.number == 0 else None,
        )
