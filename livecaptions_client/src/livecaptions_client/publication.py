"""A publication: audio that goes to a server, and the events that come back."""

import asyncio
from collections.abc import AsyncIterable, Iterable
from types import TracebackType
from typing import Self

from livecaptions_client.address import check_addresses
from livecaptions_client.delivery import Delivery
from livecaptions_client.errors import ClientError
from livecaptions_client.events import Done, Event
from livecaptions_client.stream import Stream
from livecaptions_client.terms import Term, written


def publish(
    url: str,
    room: str,
    *,
    track: str = "main",
    speaker: str | None = None,
    language: str | None = None,
    languages: Iterable[str] = (),
    vocabulary: Iterable[Term] = (),
    endpointing: float | None = None,
    encoding: str = "linear16",
    sample_rate: int = 16_000,
    channels: int = 1,
    token: str | None = None,
    takeover: bool = False,
) -> "Publication":
    """Publish audio into a room. The result is an async context manager, and an async iterator of events.

    ``url`` is a server, or several servers of one installation separated by commas. If one is lost, the client
    continues with the next. ``track`` is one audio source of the room, and ``speaker`` the name shown with its
    captions. ``language`` is a BCP 47 tag, or ``auto``, which looks among ``languages`` if there are any.
    ``vocabulary`` lists terms to expect, each a text, or ``text``, ``sounds_like`` and ``weight`` in a mapping or an
    object. ``endpointing`` is the silence that ends an utterance, 0.1 to 5 seconds. If ``language`` or ``endpointing``
    is None, the server chooses.

    ``encoding`` is ``linear16`` (little-endian 16-bit integers), ``float32``, ``mulaw``, ``alaw``, or ``container``:
    the bytes of a webm, ogg, mp4, wav, flac or mp3 file, which describes its own format. ``channels`` are interleaved,
    and ``sample_rate`` is in Hz; a container needs neither.

    ``token`` is for servers that require one. ``takeover`` ends the session of the track's current publisher. The
    client asks for it once, when the first session begins.

    Raises ``AddressError`` if ``url`` is not a server's address.
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
            languages=tuple(languages),
            vocabulary=tuple(map(written, vocabulary)),
            endpointing=endpointing,
            token=token,
            takeover=takeover,
        )
    )


class Publication:
    """Publishes one stream. ``publish`` creates it.

    Entering the context connects, without waiting for the server. Iterating yields every event until ``Done``. The
    client adds ``Reconnecting`` when the connection was lost, and ``Restarted`` when the session was lost too and
    unacknowledged audio goes into a new one. Iterating is optional: events are queued.

    If the publication fails, the next ``send``, ``end`` or iteration raises ``RefusedError`` or ``UnreachableError``.

    Leaving the context ends the stream as ``end`` does. If an exception leaves the context, the publication closes
    immediately, without waiting for captions.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._delivery = Delivery(stream)
        self._run: asyncio.Task[Done] | None = None
        self._feeding: asyncio.Task[None] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the server was ready for the first sample, or 0 before that."""
        began = self._delivery.began
        return 0.0 if began is None else asyncio.get_running_loop().time() - began

    @property
    def bytes_per_second(self) -> int | None:
        """Bytes of a second of audio, or None if the encoding has no fixed size."""
        return self._stream.bytes_per_second

    async def __aenter__(self) -> Self:
        if self._run is not None:
            raise ClientError("a publication can be entered only once; call publish again for another session")
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
        """Send audio of any size.

        Waits until the server is ready, and while more than 2 MiB are unacknowledged. Raises ``RefusedError`` or
        ``UnreachableError`` if the publication has failed, and ``ClientError`` if it has ended.
        """
        self._entered()
        if not await self._delivery.take(bytes(audio)):
            self._raise_failure()
            raise ClientError("the publication has ended and takes no more audio")

    def feed(self, frames: AsyncIterable[bytes]) -> None:
        """Send the frames of an iterator in the background, then end. ``stop`` and ``end`` stop earlier.

        The first frame is requested when the server is ready. If ``frames`` raises an exception, the audio so far is
        captioned; then ``end`` and the iteration raise the exception.
        """
        self._entered()
        if self._feeding is not None:
            raise ClientError("the publication already has an iterator of frames")
        self._feeding = asyncio.create_task(self._feed(frames))

    def finalize(self) -> None:
        """End the current utterance after the audio sent so far. Does nothing after ``end``."""
        if not self._delivery.ended:
            self._delivery.end_utterance()

    def stop(self) -> None:
        """End the audio after what was sent so far, without waiting. Its captions still arrive."""
        self._delivery.stop()

    async def end(self) -> Done:
        """End the audio and wait for the last caption. Events in the queue can still be read.

        Raises ``RefusedError`` or ``UnreachableError`` if the publication has failed, or the exception of the iterator
        given to ``feed``.
        """
        run = self._entered()
        self.stop()
        await asyncio.wait([run])
        self._raise_failure()
        if run.cancelled():
            raise ClientError("the publication was closed before its last caption arrived")
        return run.result()

    def _entered(self) -> asyncio.Task[Done]:
        if self._run is None:
            raise ClientError("enter the publication first: async with publish(...) as publication")
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
