"""A publication: audio on its way to a server, and the events that come back."""

import asyncio
from collections.abc import AsyncIterable, Iterable
from types import TracebackType
from typing import Self

from livecaptions_client.address import check_addresses
from livecaptions_client.delivery import Delivery
from livecaptions_client.errors import ClientError
from livecaptions_client.events import Done, Event
from livecaptions_client.stream import Stream


def publish(
    url: str,
    room: str,
    *,
    track: str = "main",
    speaker: str | None = None,
    language: str | None = None,
    vocabulary: Iterable[str] = (),
    endpointing: float | None = None,
    encoding: str = "linear16",
    sample_rate: int = 16_000,
    channels: int = 1,
    token: str | None = None,
    takeover: bool = False,
) -> "Publication":
    """Publish audio into a room. The result is an async context manager, and an async iterator of events.

    ``url`` is a server, or several of one installation separated by commas: when one is lost the next one goes on.
    ``track`` is one audio source of the room, ``speaker`` the name shown with its captions. ``language`` is a BCP 47
    tag or ``auto``; None leaves it to the server. ``vocabulary`` are terms to expect. ``endpointing`` is the silence
    that ends an utterance, 0.1 to 5 seconds; None leaves it to the server.

    ``encoding`` is ``linear16`` (little-endian 16-bit integers), ``float32``, ``mulaw``, ``alaw``, or ``container``:
    the bytes of a webm, ogg, mp4, wav, flac or mp3 file, which describe themselves. Samples of ``channels`` channels
    are interleaved, ``sample_rate`` (Hz) for each channel; a container needs neither.

    ``token`` is for servers that ask for one. ``takeover`` ends the session of whoever publishes on the track; it
    is asked for once, when the first session begins.

    Raises ``AddressError`` where ``url`` is not a server's address.
    """
    check_addresses(url)
    return Publication(
        Stream(
            server=url,
            room=room,
            track=track,
            speaker=speaker,
            encoding=encoding,
            sample_rate=sample_rate,
            channels=channels,
            language=language,
            vocabulary=tuple(vocabulary),
            endpointing=endpointing,
            token=token,
            takeover=takeover,
        )
    )


class Publication:
    """One stream on its way to a server; ``publish`` makes it.

    Enter it to connect. Iterate over it for every event, until ``Done``: ``Reconnecting`` where the connection was
    lost, ``Restarted`` where the session was lost too and unacknowledged audio went into a new one. Iterating is
    optional; events wait.

    Entering does not wait for the server. What ends the publication is raised where it is used next, from ``send``,
    ``end`` or the iteration: ``RefusedError`` for good, ``UnreachableError``.

    Leaving the context ends the stream as ``end`` does. Leaving it with an exception lets go at once.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._delivery = Delivery(stream)
        self._run: asyncio.Task[Done] | None = None
        self._feeding: asyncio.Task[None] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the server was ready for the first sample, 0 before."""
        began = self._delivery.began
        return 0.0 if began is None else asyncio.get_running_loop().time() - began

    @property
    def bytes_per_second(self) -> int | None:
        """Bytes of a second of audio, None where the encoding does not fix them."""
        return self._stream.bytes_per_second

    async def __aenter__(self) -> Self:
        if self._run is not None:
            raise ClientError("a publication is entered once; publish again for another session")
        self._run = asyncio.create_task(self._delivery.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.end()
        finally:
            tasks = [task for task in (self._run, self._feeding) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        self._entered()
        event = await self._delivery.events.next()
        if event is None:
            self._raise_failure()
            raise StopAsyncIteration
        return event

    async def send(self, audio: bytes | bytearray | memoryview) -> None:
        """Send audio, of any size.

        It waits until the server is ready for the first audio, and while more than 2 MiB are not acknowledged.
        Raises ``RefusedError`` and ``UnreachableError`` where the publication has failed, ``ClientError`` where it
        was ended.
        """
        self._entered()
        if not await self._delivery.take(bytes(audio)):
            self._raise_failure()
            raise ClientError("the publication has ended and takes no more audio")

    def feed(self, frames: AsyncIterable[bytes]) -> None:
        """Send every frame of an iterator in the background, then end. ``stop`` and ``end`` stop it early.

        Frames are asked for when the server is ready. What ``frames`` raises is raised from ``end`` and from the
        iteration, once the captions of what it gave are out.
        """
        self._entered()
        if self._feeding is not None:
            raise ClientError("the publication has its frames already")
        self._feeding = asyncio.create_task(self._feed(frames))

    def finalize(self) -> None:
        """End the current utterance behind the audio sent so far. After ``end`` it does nothing."""
        if not self._delivery.ended:
            self._delivery.end_utterance()

    def stop(self) -> None:
        """End the audio behind what was sent so far, without waiting; captions of it still come."""
        self._delivery.stop()

    async def end(self) -> Done:
        """End the audio, and wait until its last caption is out. Events that were not read can still be read.

        Raises ``RefusedError`` and ``UnreachableError`` where the publication has failed, and what the frames given
        to ``feed`` raised.
        """
        run = self._entered()
        self.stop()
        await asyncio.wait([run])
        self._raise_failure()
        if run.cancelled():
            raise ClientError("the publication was left before its last caption was out")
        return run.result()

    def _entered(self) -> asyncio.Task[Done]:
        if self._run is None:
            raise ClientError("a publication has to be entered first: async with publish(...) as publication")
        return self._run

    def _raise_failure(self) -> None:
        for task in (self._run, self._feeding):
            if task is not None and task.done() and not task.cancelled():
                task.result()

    async def _feed(self, frames: AsyncIterable[bytes]) -> None:
        try:
            await self._delivery.ready.wait()
            async for frame in frames:
                if not await self._delivery.take(frame):
                    return
        finally:
            self.stop()
