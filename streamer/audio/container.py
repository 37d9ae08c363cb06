"""Decodes containers (webm, ogg, mp4, wav, flac, mp3, aac) while they arrive, in one thread per stream."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

import structlog

from captions.audio import SAMPLE_RATE
from captions.audio_warnings import AudioWarning, AudioWarnings
from captions.errors import Internal, Refusal
from streamer.audio.container_stream import ContainerStream
from streamer.audio.decoder import Decoded
from streamer.audio.pipe import BytePipe, Closed, SampleQueue

logger = structlog.get_logger(__name__)

MOST_BYTES_WAITING = 1024 * 1024
MOST_SAMPLES_WAITING = SAMPLE_RATE * 30


class ContainerDecoder:
    """Decodes one stream in its own thread. ``take`` returns samples as soon as their packet is complete."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready = asyncio.Event()
        self.warnings = AudioWarnings()
        self._space = asyncio.Event()
        self._bytes = BytePipe(MOST_BYTES_WAITING, lambda: self._call_in_loop(self._space.set))
        self._samples = SampleQueue(MOST_SAMPLES_WAITING, lambda: self._call_in_loop(self.ready.set))
        self._failure: Refusal | None = None
        self._over = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="container-decoder", daemon=True)
        self._thread.start()

    async def feed(self, data: bytes) -> None:
        """Take the next bytes. Waits if the thread is behind."""
        while self._bytes.full and not self._ended:
            self._space.clear()
            await self._space.wait()
        if self._failure is not None:
            raise self._failure
        self._bytes.write(data)

    async def finish(self) -> None:
        """End the stream after the bytes so far."""
        self._bytes.finish()

    def take(self, at_least: int = 1) -> Decoded | None:  # noqa: ARG002 - returns any number
        """Return all samples since the last call as one piece; None if there are none."""
        ended = self._ended  # read before the samples, because no samples come after the end
        decoded = self._samples.take()
        if decoded is None and ended:
            if self._failure is not None:
                raise self._failure
            self._over = True
        return decoded

    @property
    def over(self) -> bool:
        """Whether the stream was finished and all its samples were taken."""
        return self._over

    async def close(self) -> None:
        """Stop the thread, even if it waits."""
        self._bytes.close()
        self._samples.close()
        await asyncio.to_thread(self._thread.join)
        self._end(None)

    def _end(self, failure: Refusal | None) -> None:
        self._failure = self._failure or failure
        self._ended = True
        self._bytes.close()
        self.ready.set()
        self._space.set()

    def _run(self) -> None:
        """The thread's function. However it ends, it reports that to the event loop once."""
        failure: Refusal | None = None
        try:
            ContainerStream(self._bytes, self._samples.put, self._warn).decode()
        except Closed:
            pass
        except Refusal as refusal:
            failure = refusal
        except Exception:
            logger.exception("container_decoder_failed")
            failure = Internal("the server failed to decode the audio and logged the cause; begin a new session")
        self._call_in_loop(self._end, None if self._bytes.closed else failure)

    def _warn(self, warning: AudioWarning) -> None:
        self._call_in_loop(self.warnings.add, warning)

    def _call_in_loop(self, callback: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed, so nobody waits for the result
            self._loop.call_soon_threadsafe(callback, *args)
