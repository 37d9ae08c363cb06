"""Decodes containers (webm, ogg, mp4, wav, flac, mp3, aac) while they arrive, in one process per stream."""

import asyncio
import contextlib
import socket
from collections import deque

import numpy as np
import structlog

from captions.audio import SAMPLE_RATE, from_bytes
from captions.audio_warnings import AudioWarning, AudioWarnings, WarningCode
from captions.errors import Internal, Refusal, UnsupportedAudio
from captions.ports.probe import Probe
from streamer.audio.decoder import Decoded
from streamer.audio.decoder_messages import STATUS, Message, Report, Unpacker
from streamer.audio.processes import DecoderProcesses
from streamer.audio.stops import Stop, refusal_of, stop_of

logger = structlog.get_logger(__name__)

MOST_BYTES_WAITING = 1024 * 1024
MOST_SAMPLES_WAITING = SAMPLE_RATE * 30

_READ = 64 * 1024


class ContainerDecoder:
    """Decodes one stream in its own process. ``take`` returns samples as soon as their packet is complete.

    The process is not trusted: a crash, a hang or nonsense from it ends this stream and nothing else. Raises
    ``Internal`` if no process can be started.
    """

    def __init__(self, processes: DecoderProcesses, probe: Probe) -> None:
        self._loop = asyncio.get_running_loop()
        self._processes = processes
        self._probe = probe
        try:
            self._stream, self._life = processes.begin()
        except OSError as error:
            logger.exception("container_decoder_not_started")
            probe.decoder_stopped(Stop.LOST)
            raise Internal("the server cannot start a decoder now and logged the cause; try again later") from error
        self.ready = asyncio.Event()
        self.warnings = AudioWarnings()
        self._space = asyncio.Event()
        self._exited = asyncio.Event()
        self._unsent: deque[bytes] = deque()
        self._bytes_waiting = 0
        self._fed = 0
        self._finished = False
        self._wanted = -1
        """Up to where the process has read, when it last asked for more; -1 before it has begun."""
        self._unpacker = Unpacker()
        self._pieces: deque[Decoded] = deque()
        self._samples_waiting = 0
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._status: int | None = None
        self._failure: Refusal | None = None
        self._reading = self._writing = False
        self._broken_off = self._ended = self._over = self._closed = False
        self._read(True)
        self._loop.add_reader(self._life, self._receive_status)

    async def feed(self, data: bytes) -> None:
        """Take the next bytes. Waits if the process is behind."""
        while self._bytes_waiting > MOST_BYTES_WAITING and not self._ended:
            self._space.clear()
            await self._space.wait()
        if self._failure is not None:
            raise self._failure
        if self._ended or not data:
            return
        self._expect_answer()
        self._fed += len(data)
        self._bytes_waiting += len(data)
        self._unsent.append(data)
        self._send()

    async def finish(self) -> None:
        """End the stream after the bytes so far."""
        if not self._ended:
            self._expect_answer()
            self._finished = True
            self._send()

    def take(self, at_least: int = 1) -> Decoded | None:  # noqa: ARG002 - returns any number
        """Return all samples since the last call as one piece; None if there are none."""
        if self._pieces:
            decoded = Decoded(np.concatenate([piece.pcm for piece in self._pieces]), self._pieces[-1].offset)
            self._pieces.clear()
            self._samples_waiting = 0
            self._heard_at = self._loop.time()
            self._read(not (self._broken_off or self._ended))
            return decoded
        if self._ended:
            if self._failure is not None:
                raise self._failure
            self._over = True
        return None

    @property
    def over(self) -> bool:
        """Whether the stream was finished and all its samples were taken."""
        return self._over

    async def close(self) -> None:
        """Kill the process, if it still runs, and wait for its end."""
        self._end(None)
        if self._closed:
            return
        self._closed = True
        self._kill()
        self._stream.close()
        try:
            async with asyncio.timeout(self._processes.limits.answer):
                await self._exited.wait()
        except TimeoutError:
            logger.warning("fork_server_does_not_answer")
        finally:
            self._loop.remove_reader(self._life)
            self._life.close()

    # The bytes

    def _send(self) -> None:
        try:
            while self._unsent:
                sent = self._stream.send(self._unsent[0])
                self._bytes_waiting -= sent
                if sent == len(self._unsent[0]):
                    self._unsent.popleft()
                else:
                    self._unsent[0] = self._unsent[0][sent:]
            if self._finished:
                self._stream.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            self._write(True)
        except OSError:  # the process has ended: what it reported last says why
            self._unsent.clear()
            self._bytes_waiting = 0
            self._write(False)
        else:
            self._write(False)
        if self._bytes_waiting <= MOST_BYTES_WAITING:
            self._space.set()

    # The reports

    def _receive(self) -> None:
        try:
            data = self._stream.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._read(False)
            self._broken_off = True
            self._settle()
            return
        self._heard_at = self._loop.time()
        try:
            for message in self._unpacker.push(data):
                self._handle(message)
                if self._ended:
                    return
        except ValueError as error:
            logger.warning("container_decoder_sent_nonsense", error=str(error))
            self._stop(Stop.CRASH)

    def _handle(self, message: Message) -> None:
        """Act on a report. Raises ``ValueError`` for one that cannot be true."""
        kind, offset, payload = message
        if offset > self._fed:
            raise ValueError(f"{kind.name} at {offset} of {self._fed}")
        match kind:
            case Report.WANTS:
                self._wanted = offset
            case Report.SAMPLES:
                self._pieces.append(Decoded(from_bytes(payload), offset))
                self._samples_waiting += len(payload) // 2
                if self._samples_waiting > MOST_SAMPLES_WAITING:
                    self._read(False)
                self.ready.set()
            case Report.WARNING:
                code, _, text = payload.decode().partition("\n")
                self.warnings.add(AudioWarning(WarningCode(code), text))
            case _:
                self._handle_last(kind, payload.decode())

    def _handle_last(self, kind: Report, text: str) -> None:
        match kind:
            case Report.REFUSED:
                self._end(UnsupportedAudio(text))
            case Report.OUT_OF_MEMORY:
                self._stop(Stop.MEMORY)
            case Report.ENDED if self._finished:
                self._end(None)
            case Report.FAILED:
                logger.error("container_decoder_failed", traceback=text)
                self._stop(Stop.LOST)
            case _:
                raise ValueError(f"{kind.name} of a stream that goes on")

    # The process

    def _receive_status(self) -> None:
        try:
            data = self._life.recv(STATUS.size)
        except OSError:
            data = b""
        self._loop.remove_reader(self._life)
        if data:
            self._status = int(STATUS.unpack(data)[0])
        else:
            self._processes.reap()
        self._exited.set()
        self._settle()

    def _settle(self) -> None:
        """End the stream if the process has ended, once everything that it reported before is read."""
        if self._broken_off and self._exited.is_set() and not self._ended:
            self._stop(stop_of(self._status))

    @property
    def _idle(self) -> bool:
        return self._wanted == self._fed and not self._finished

    def _expect_answer(self) -> None:
        """Begin to wait for an answer, if the process had nothing to do."""
        if self._idle or self._watch is None:
            self._heard_at = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.call_later(self._processes.limits.answer, self._check_answer)

    def _check_answer(self) -> None:
        self._watch = None
        if self._reading:
            self._receive()  # uvloop runs timers before it looks at sockets, also after the loop was blocked
        elif not self._broken_off:
            self._heard_at = self._loop.time()  # the process may wait until its samples are taken
        if self._ended or self._idle:
            return
        left = self._heard_at + self._processes.limits.answer - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._check_answer)
            return
        begun = self._wanted >= 0 and not self._broken_off
        if not begun:
            self._processes.retire()
        self._stop(Stop.HANG if begun else Stop.LOST)

    def _stop(self, stop: Stop) -> None:
        """End the stream because its process did."""
        logger.warning("container_decoder_stopped", reason=stop, status=self._status, fed=self._fed)
        self._probe.decoder_stopped(stop)
        self._end(refusal_of(stop))

    def _end(self, failure: Refusal | None) -> None:
        if self._ended:
            return
        self._failure = failure
        self._ended = True
        self._read(False)
        self._write(False)
        self._unsent.clear()
        self._bytes_waiting = 0
        if self._watch is not None:
            self._watch.cancel()
        self._kill()
        self.ready.set()
        self._space.set()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._life.shutdown(socket.SHUT_WR)

    def _read(self, on: bool) -> None:
        if on != self._reading:
            self._reading = on
            if on:
                self._loop.add_reader(self._stream, self._receive)
            else:
                self._loop.remove_reader(self._stream)

    def _write(self, on: bool) -> None:
        if on != self._writing:
            self._writing = on
            if on:
                self._loop.add_writer(self._stream, self._send)
            else:
                self._loop.remove_writer(self._stream)
