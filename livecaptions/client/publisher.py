"""A publisher: sends audio, keeps what is not acknowledged, and resumes when the connection is lost."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from livecaptions.client.address import Parameters, authorization, socket_url
from livecaptions.client.refused import RefusedError, describe, raise_refusal, refusal_of

Event = dict[str, Any]
"""A message of the protocol, as JSON."""

MOST_UNACKNOWLEDGED = 2 * 1024 * 1024
"""Bytes kept for sending again; more wait for acknowledgement."""

PATIENCE = 60.0
"""Seconds a server may be out of reach before a publisher gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Where and as what to publish; ``encoding``, ``sample_rate`` and ``channels`` say what the bytes are."""

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

    def parameters(self, session: str | None) -> Parameters:
        """The query of the socket."""
        optional = {"speaker": self.speaker, "language": self.language, "session": session}
        return [
            ("track", self.track),
            ("encoding", self.encoding),
            ("sample_rate", str(self.sample_rate)),
            ("channels", str(self.channels)),
            *((name, value) for name, value in optional.items() if value is not None),
            *(("vocabulary", term) for term in self.vocabulary),
        ]


class Publisher:
    """Publishes one stream. ``tell`` hears every message of the server, and ``reconnecting`` events of our own."""

    def __init__(self, stream: Stream, tell: Callable[[Event], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._session: str | None = None
        self._base = 0
        self._acknowledged = 0
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._sent = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    async def publish(self, frames: AsyncIterator[bytes]) -> None:
        """Send ``frames``, each at most 64 KiB, then ``end``; return when the last caption is out.

        Raises ``RefusedError`` for good, ``OSError`` where the server stays out of reach.
        """
        feeding = asyncio.create_task(self._feed(frames))
        try:
            await self._stay_connected()
            if feeding.done():
                feeding.result()
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    def stop(self) -> None:
        """Send no more audio than was handed in; captions of that still come."""
        self._ended = True
        self._news.set()

    async def _feed(self, frames: AsyncIterator[bytes]) -> None:
        try:
            async for frame in frames:
                if self._ended:
                    break
                await self._room.wait()
                self._kept.append(frame)
                self._kept_bytes += len(frame)
                if self._kept_bytes > MOST_UNACKNOWLEDGED:
                    self._room.clear()
                self._news.set()
        finally:
            self.stop()

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        lost_at, delay = loop.time(), 0.25
        while True:
            try:
                if await self._connection():
                    return
                lost_at, delay = loop.time(), 0.25
            except RefusedError as refused:
                if refused.code == "not_found" and self._session is not None:
                    self._begin_anew()
                elif refused.passing:
                    delay = max(delay, refused.retry_after or 0)
                else:
                    raise
                self._tell({"type": "reconnecting", "reason": str(refused)})
            except (OSError, TimeoutError, WebSocketException) as error:
                if loop.time() - lost_at > PATIENCE:
                    raise
                self._tell({"type": "reconnecting", "reason": describe(error)})
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)

    def _begin_anew(self) -> None:
        """The session is gone with its server: what was not acknowledged goes into a new one."""
        self._session = None
        self._base += self._acknowledged
        self._acknowledged = 0

    async def _connection(self) -> bool:
        """One connection's life; True when all is done, False when it was lost."""
        stream = self._stream
        url = socket_url(stream.server, stream.room, "publish", stream.parameters(self._session))
        try:
            async with connect(
                url, compression=None, max_size=None, additional_headers=authorization(stream.token)
            ) as ws:
                return await self._converse(ws)
        except InvalidStatus as error:
            raise refusal_of(error) from error

    async def _converse(self, ws: ClientConnection) -> bool:
        ready = await self._hear(ws)
        self._session = ready["session"]
        self._acknowledge(ready["offset"])
        self._sent = 0
        sending = asyncio.create_task(self._send(ws))
        try:
            while True:
                event = await self._hear(ws)
                if event["type"] == "done":
                    return True
                if event["type"] == "ack":
                    self._acknowledge(event["offset"])
        except ConnectionClosed as error:
            self._tell({"type": "reconnecting", "reason": describe(error)})
            return False
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _hear(self, ws: ClientConnection) -> Event:
        event: Event = json.loads(await ws.recv())
        self._tell(event)
        raise_refusal(event)
        return event

    def _acknowledge(self, offset: int) -> None:
        """Forget frames that are safe; one that is so in part is cut."""
        safe = offset - self._acknowledged
        self._acknowledged = max(offset, self._acknowledged)
        while safe > 0 and self._kept:
            frame = self._kept.popleft()
            self._kept_bytes -= len(frame)
            self._sent = max(0, self._sent - 1)
            if len(frame) > safe:
                self._kept.appendleft(frame[safe:])
                self._kept_bytes += len(frame) - safe
                self._sent += 1
            safe -= len(frame)
        if self._kept_bytes <= MOST_UNACKNOWLEDGED:
            self._room.set()

    async def _send(self, ws: ClientConnection) -> None:
        while True:
            self._news.clear()
            while self._sent < len(self._kept):
                frame = self._kept[self._sent]
                self._sent += 1
                await ws.send(frame)
            if self._ended:
                await ws.send('{"type":"end"}')
                return
            await self._news.wait()
