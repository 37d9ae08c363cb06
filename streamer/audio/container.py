"""Containers (webm, ogg, mp4, wav, flac, mp3, aac), demuxed and decoded by PyAV as they arrive, a thread a stream."""

import asyncio
import contextlib
import threading
from collections import deque

import av
import numpy as np
import structlog
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from captions.audio import SAMPLE_RATE, Pcm
from captions.errors import Refusal, UnsupportedAudio
from streamer.audio.decoder import Decoded

logger = structlog.get_logger(__name__)

DEMUXERS = ("matroska", "webm", "ogg", "wav", "flac", "mp3", "mov", "mp4", "aac")
"""What FFmpeg may take the bytes for; playlists and the like, which open other files, are not among them."""

ANALYSED_MICROSECONDS = "500000"
"""Of sound that FFmpeg may hear before it gives any out; its own default is seconds."""

WAV_PROBED_BYTES = "32768"
"""FFmpeg looks for other codecs hidden in PCM, for three seconds unless it is told not to."""

MOST_BYTES_WAITING = 1024 * 1024
MOST_SAMPLES_WAITING = SAMPLE_RATE * 30
MOST_BAD_PACKETS = 50

NOT_A_CONTAINER = (
    "the bytes are no audio container that can be read as it arrives: "
    "send webm, ogg, wav, flac, mp3, aac or fragmented mp4"
)


class _Closed(Exception):
    """The stream was given up."""


class _Pipe:
    """The file that FFmpeg reads: bytes fed by the event loop, waited for by the thread."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._condition = threading.Condition()
        self._finished = False
        self._closed = False
        self.waiting = 0
        self.consumed = 0

    def write(self, data: bytes) -> None:
        with self._condition:
            self._chunks.append(data)
            self.waiting += len(data)
            self._condition.notify()

    def finish(self) -> None:
        with self._condition:
            self._finished = True
            self._condition.notify()

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify()

    def begins_with(self, magic: bytes) -> bool:
        """Whether the stream does, once enough of it is there to tell."""
        with self._condition:
            while True:
                if self._closed:
                    raise _Closed
                head = b"".join(self._chunks)
                if len(head) >= len(magic) or self._finished:
                    return head.startswith(magic)
                self._condition.wait()

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, as soon as there are any; none at the end. FFmpeg's side."""
        with self._condition:
            while not self._chunks and not self._finished and not self._closed:
                self._condition.wait()
            if self._closed:
                raise _Closed
            if not self._chunks:
                return b""
            chunk = self._chunks.popleft()
            if 0 <= size < len(chunk):
                self._chunks.appendleft(chunk[size:])
                chunk = chunk[:size]
            self.waiting -= len(chunk)
            self.consumed += len(chunk)
            return chunk


class ContainerDecoder:
    """Decodes one stream in a thread of its own; ``read`` gets samples as soon as their packet is complete."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipe = _Pipe()
        self._waiting: deque[Decoded] = deque()
        self._waiting_samples = 0
        self._ready = asyncio.Event()
        self._room = threading.Event()
        self._room.set()
        self._progress = asyncio.Event()
        self._failure: Refusal | None = None
        self._over = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="container-decoder", daemon=True)
        self._thread.start()

    async def feed(self, data: bytes) -> None:
        """More bytes; waits where the thread is behind."""
        while self._failure is None and not self._over and self._pipe.waiting > MOST_BYTES_WAITING:
            self._progress.clear()
            await self._progress.wait()
        if self._failure is not None:
            raise self._failure
        self._pipe.write(data)

    async def finish(self) -> None:
        """No more bytes come."""
        self._pipe.finish()

    async def read(self) -> Decoded | None:
        """What has been decoded since the last call, in one piece."""
        while True:
            self._ready.clear()
            if self._waiting:
                return self._gathered()
            if self._failure is not None:
                raise self._failure
            if self._over:
                return None
            await self._ready.wait()

    async def close(self) -> None:
        """Stop the thread, wherever it waits."""
        self._closing = True
        self._pipe.close()
        self._room.set()
        await asyncio.to_thread(self._thread.join)
        self._end(None)

    def _gathered(self) -> Decoded:
        pieces = list(self._waiting)
        self._waiting.clear()
        self._waiting_samples = 0
        self._room.set()
        return Decoded(np.concatenate([piece.pcm for piece in pieces]), pieces[-1].offset)

    def _put(self, pcm: Pcm, offset: int) -> None:
        self._waiting.append(Decoded(pcm, offset))
        self._waiting_samples += len(pcm)
        if self._waiting_samples > MOST_SAMPLES_WAITING and not self._closing:
            self._room.clear()
        self._ready.set()
        self._progress.set()

    def _end(self, failure: Refusal | None) -> None:
        self._failure = self._failure or failure
        self._over = True
        self._ready.set()
        self._progress.set()

    def _run(self) -> None:
        """The thread: whatever happens ends in one message to the event loop."""
        failure: Refusal | None = None
        try:
            self._decode()
        except _Closed:
            pass
        except Refusal as refusal:
            failure = refusal
        except (FFmpegError, ValueError, OSError) as error:
            logger.info("container_refused", error=str(error))
            failure = UnsupportedAudio(NOT_A_CONTAINER)
        except Exception:
            logger.exception("container_decoder_failed")
            failure = UnsupportedAudio(NOT_A_CONTAINER)
        self._tell(self._end, failure)

    def _tell(self, callback: object, *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever listened
            self._loop.call_soon_threadsafe(callback, *args)  # type: ignore[arg-type] # any callback of ours

    def _decode(self) -> None:
        options = {"format_whitelist": ",".join(DEMUXERS), "analyzeduration": ANALYSED_MICROSECONDS}
        if self._pipe.begins_with(b"RIFF"):
            options["probesize"] = WAV_PROBED_BYTES
        with av.open(self._pipe, "r", container_options=options) as container:
            if not container.streams.audio:
                raise UnsupportedAudio("the container holds no audio stream; send one that does")
            self._decode_packets(container)

    def _decode_packets(self, container: av.container.InputContainer) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        safe, bad, heard = 0, 0, 0
        for packet in container.demux(container.streams.audio[0]):
            try:
                frames = packet.decode()
            except FFmpegError as error:
                bad += 1
                logger.info("packet_skipped", error=str(error), so_far=bad)
                if bad > MOST_BAD_PACKETS or not heard:
                    raise
                continue
            pcm = [out.to_ndarray().reshape(-1) for frame in frames for out in resampler.resample(frame)]
            if packet.dts is None and packet.size == 0:  # the end: what the resampler holds
                pcm += [out.to_ndarray().reshape(-1) for out in resampler.resample(None)]
            if pcm:
                heard += sum(map(len, pcm))
                self._room.wait()
                self._tell(self._put, np.concatenate(pcm), safe)
            safe = self._pipe.consumed
        if not heard:
            raise UnsupportedAudio("the container holds no sound; send one that does")
