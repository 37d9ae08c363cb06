"""A publisher: sends audio, keeps what is not acknowledged, and resumes when the connection is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from livecaptions.client.address import Parameters, open_socket, socket_url
from livecaptions.client.refused import RefusedError, raise_refusal, read_event
from livecaptions.client.retry import Retry
from livecaptions.client.unacknowledged import Unacknowledged

Event = dict[str, Any]
"""A message of the protocol, as JSON."""

MOST_UNACKNOWLEDGED = 2 * 1024 * 1024
"""Bytes kept for sending again; more wait for acknowledgement."""

KEEPALIVE = 15.0
"""Seconds without audio after which a keepalive is sent; the server lets go after 60."""

SAMPLE_BYTES = {"linear16": 2, "float32": 4, "mulaw": 1, "alaw": 1}
"""Of one channel, by encoding; a container's samples have no fixed size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Where and as what to publish; ``encoding``, ``sample_rate`` and ``channels`` say what the bytes are.

    ``server`` may be several of one installation, separated by commas: when one is lost the next one goes on.
    ``takeover`` ends the session of whoever publishes on the track.
    """

    server: str
    room: str
    track: str = "main"
    speaker: str | None = None
    encoding: str = "linear16"
    sample_rate: int = 16_000
    channels: int = 1
    language: str | None = None
    vocabulary: tuple[str, ...] = ()
    token: str | None = None
    takeover: bool = False

    @property
    def sample_bytes(self) -> int | None:
        """Bytes of one sample of all channels, None where the encoding does not fix them."""
        size = SAMPLE_BYTES.get(self.encoding)
        return None if size is None else size * self.channels

    @property
    def bytes_per_second(self) -> int | None:
        """Bytes of a second of audio, None where the encoding does not fix them."""
        return None if self.sample_bytes is None else self.sample_bytes * self.sample_rate

    def parameters(self, session: str | None) -> Parameters:
        """The query of the socket."""
        takeover = "true" if self.takeover and session is None else None
        optional = {"speaker": self.speaker, "language": self.language, "session": session, "takeover": takeover}
        return [
            ("track", self.track),
            ("encoding", self.encoding),
            ("sample_rate", str(self.sample_rate)),
            ("channels", str(self.channels)),
            *((name, value) for name, value in optional.items() if value is not None),
            *(("vocabulary", term) for term in self.vocabulary),
        ]


class Publisher:
    """Publishes one stream. ``tell`` hears every message of the server.

    It also hears two events of our own: ``{"type":"reconnecting","reason":...}`` when a connection is lost, and
    ``{"type":"restarted"}`` when the session is gone and what was not acknowledged goes into a new one.
    """

    def __init__(self, stream: Stream, tell: Callable[[Event], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._session: str | None = None
        self._kept = Unacknowledged()
        self._retry = Retry(stream.server)
        self._began: float | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._ended = False

    @property
    def elapsed(self) -> float:
        """Seconds since the first sample was asked for, 0 before: what is spoken in real time is at this offset."""
        return 0.0 if self._began is None else asyncio.get_running_loop().time() - self._began

    async def publish(self, frames: AsyncIterator[bytes]) -> None:
        """Send ``frames``, each at most 64 KiB, then ``end``; return when the last caption is out.

        Frames are asked for when the server is ready. Raises ``RefusedError`` for good, ``UnreachableError``, and
        what ``frames`` raises, once the captions of what it gave are out.
        """
        try:
            while not await self._connection(frames):
                await self._retry.wait()
            if self._feeding is not None and self._feeding.done():
                self._feeding.result()
        finally:
            if self._feeding is not None:
                self._feeding.cancel()
                await asyncio.gather(self._feeding, return_exceptions=True)

    def stop(self) -> None:
        """Send no more audio than was handed in; captions of that still come."""
        self._ended = True
        self._news.set()

    async def _feed(self, frames: AsyncIterator[bytes]) -> None:
        try:
            async for frame in frames:
                await self._roomy.wait()
                if self._ended:
                    break
                self._kept.append(frame)
                if self._kept.size > MOST_UNACKNOWLEDGED:
                    self._roomy.clear()
                self._news.set()
        finally:
            self.stop()

    async def _connection(self, frames: AsyncIterator[bytes]) -> bool:
        """One connection's life; True when all is done, False when it was lost and another may do better."""
        stream = self._stream
        url = socket_url(self._retry.server, stream.room, "publish", stream.parameters(self._session))
        try:
            async with open_socket(url, stream.token) as ws:
                await self._converse(ws, frames)
        except RefusedError as refused:
            if refused.code == "not_found" and self._session is not None:
                self._begin_anew(refused)
            else:
                self._lost(refused)
        except (OSError, WebSocketException) as error:
            self._lost(error)
        else:
            return True
        return False

    def _lost(self, error: Exception) -> None:
        self._tell({"type": "reconnecting", "reason": self._retry.lost(error)})

    def _begin_anew(self, refused: RefusedError) -> None:
        """The session is gone, perhaps with its server: what was not acknowledged goes into a new one."""
        if self._ended and not self._kept.size:
            raise RefusedError(
                refused.code,
                f"all the sound is safe, but its session ended before its last captions came here; "
                f"read them in {self._transcript}",
            ) from refused
        size = self._stream.sample_bytes
        if size is None and self._kept.acknowledged:
            raise RefusedError(
                refused.code, "the session is gone, and a container cannot be taken up in its middle; send it again"
            ) from refused
        self._session = None
        self._kept.restart(size or 1)
        self._tell({"type": "restarted"})

    @property
    def _transcript(self) -> str:
        return f"{self._retry.server.rstrip('/')}/v1/rooms/{self._stream.room}/transcript"

    async def _converse(self, ws: ClientConnection, frames: AsyncIterator[bytes]) -> None:
        """Hear and send until ``done``."""
        ready = await self._next(ws)
        if ready["offset"] < self._kept.acknowledged:
            raise RefusedError("not_found", f"session {self._session} forgot audio that it had acknowledged")
        self._retry.connected()
        self._session = ready["session"]
        self._acknowledge(ready["offset"])
        self._kept.rewind()
        if self._began is None:
            self._began = asyncio.get_running_loop().time()
            self._feeding = asyncio.create_task(self._feed(frames))
        self._tell(ready)
        sending = asyncio.create_task(self._send(ws))
        try:
            while (event := await self._next(ws))["type"] != "done":
                if event["type"] == "ack":
                    self._acknowledge(event["offset"])
                self._tell(event)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        self._tell(event)

    async def _next(self, ws: ClientConnection) -> Event:
        event = read_event(await ws.recv())
        if event["type"] == "error":
            self._tell(event)
            raise_refusal(event)
        return event

    def _acknowledge(self, offset: int) -> None:
        self._kept.acknowledge(offset)
        if self._kept.size <= MOST_UNACKNOWLEDGED:
            self._roomy.set()

    async def _send(self, ws: ClientConnection) -> None:
        while True:
            self._news.clear()
            while (frame := self._kept.next()) is not None:
                await ws.send(frame)
            if self._ended:
                await ws.send('{"type":"end"}')
                return
            try:
                async with asyncio.timeout(KEEPALIVE):
                    await self._news.wait()
            except TimeoutError:
                await ws.send('{"type":"keepalive"}')
