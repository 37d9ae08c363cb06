"""The delivery of a stream: it sends audio, keeps unacknowledged audio and resumes after a lost connection."""

import asyncio

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from livecaptions_client.address import socket_url
from livecaptions_client.connection import open_socket
from livecaptions_client.errors import RefusedError, UnreachableError
from livecaptions_client.events import Ack, Done, Error, Event, Ready, reconnecting, restarted
from livecaptions_client.inbox import Inbox
from livecaptions_client.reading import read_event
from livecaptions_client.retry import Retry
from livecaptions_client.stream import Stream
from livecaptions_client.unacknowledged import UTTERANCE_END, Unacknowledged

MOST_UNACKNOWLEDGED = 2 * 1024 * 1024
"""The largest number of unacknowledged bytes. The client keeps them to send them again, and takes no more audio."""

MOST_FRAME = 64 * 1024
"""The largest frame that the server accepts, in bytes."""

KEEPALIVE = 15.0
"""Seconds without audio after which the client sends a keepalive. The server closes a silent connection after 60."""


class Delivery:
    """Delivers one stream, over as many connections as it needs.

    ``events`` receives every message of the server and the client's own events. ``ready`` is set when the server is
    ready for the first sample, or when ``run`` has ended. ``began`` is the event loop's time when the server was ready.
    The delivery takes no more audio after ``ended``.
    """

    def __init__(self, stream: Stream) -> None:
        self.events = Inbox()
        self.ready = asyncio.Event()
        self.began: float | None = None
        self.ended = False
        self._stream = stream
        self._session: str | None = None
        self._kept = Unacknowledged()
        self._retry = Retry(stream.server)
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def take(self, audio: bytes) -> bool:
        """Take audio to send. Waits while too much is unacknowledged. Returns False if the delivery has ended."""
        await self.ready.wait()
        for at in range(0, len(audio), MOST_FRAME):
            await self._has_room.wait()
            if self.ended:
                return False
            self._kept.append(audio[at : at + MOST_FRAME])
            if self._kept.size > MOST_UNACKNOWLEDGED:
                self._has_room.clear()
            self._changed.set()
        return True

    def end_utterance(self) -> None:
        """End the current utterance after the audio taken so far."""
        self._kept.end_utterance()
        self._changed.set()

    def stop(self) -> None:
        """Take no more audio."""
        self.ended = True
        self._changed.set()

    async def run(self) -> Done:
        """Deliver until the last caption has arrived. Raises ``UnreachableError`` or a final ``RefusedError``."""
        try:
            while (done := await self._connect()) is None:
                await self._retry.wait()
            return done
        finally:
            self.ended = True
            self.ready.set()
            self._has_room.set()
            self.events.close()

    async def _connect(self) -> Done | None:
        """Use one connection until it ends. Returns None if it was lost and the client should connect again."""
        stream = self._stream
        parameters = stream.parameters(session=self._session, takeover=stream.takeover and self.began is None)
        url = socket_url(self._retry.server, stream.room, "publish", parameters)
        try:
            async with open_socket(url, stream.token) as ws:
                return await self._converse(ws)
        except RefusedError as refused:
            if refused.code == "not_found" and self._session is not None:
                self._restart(refused)
            else:
                self._lost(refused)
        except (OSError, WebSocketException) as error:
            self._lost(error)
        return None

    def _lost(self, error: Exception) -> None:
        self.events.put(reconnecting(self._retry.lost(error)))

    def _restart(self, refused: RefusedError) -> None:
        """Begin a new session with the unacknowledged audio, because the server no longer knows the old session."""
        if self.ended and not self._kept.size:
            raise RefusedError(
                refused.code,
                f"the server has all the audio, but the session ended before its last captions arrived; "
                f"read them at {self._transcript}",
            ) from refused
        size = self._stream.sample_bytes
        if size is None and self._kept.acknowledged:
            raise RefusedError(
                refused.code,
                "the server no longer knows the session, and a container can only be sent from its beginning; "
                "send it again",
            ) from refused
        self._session = None
        self._kept.restart(size or 1)
        self.events.put(restarted())

    @property
    def _transcript(self) -> str:
        return f"{self._retry.server.rstrip('/')}/v1/rooms/{self._stream.room}/transcript"

    async def _converse(self, ws: ClientConnection) -> Done:
        """Send audio and receive events until ``done``."""
        ready = await self._next(ws)
        if not isinstance(ready, Ready):
            raise UnreachableError(f"the server does not speak this protocol: it sent {ready.json['type']!r} first")
        if ready.offset < self._kept.acknowledged:
            raise RefusedError("not_found", f"session {self._session} lost audio that the server had acknowledged")
        self._retry.connected()
        self._session = ready.session
        self._acknowledge(ready.offset)
        self._kept.rewind()
        if self.began is None:
            self.began = asyncio.get_running_loop().time()
        self.ready.set()
        self.events.put(ready)
        sending = asyncio.create_task(self._send(ws))
        try:
            while not isinstance(event := await self._next(ws), Done):
                if isinstance(event, Ack):
                    self._acknowledge(event.offset)
                self.events.put(event)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        self.events.put(event)
        return event

    async def _next(self, ws: ClientConnection) -> Event:
        event = read_event(await ws.recv())
        if isinstance(event, Error):
            self.events.put(event)
            raise event.refusal()
        return event

    def _acknowledge(self, offset: int) -> None:
        self._kept.acknowledge(offset)
        if self._kept.size <= MOST_UNACKNOWLEDGED:
            self._has_room.set()

    async def _send(self, ws: ClientConnection) -> None:
        while True:
            self._changed.clear()
            while (frame := self._kept.next()) is not None:
                await ws.send('{"type":"finalize"}' if frame == UTTERANCE_END else frame)
            if self.ended:
                await ws.send('{"type":"end"}')
                return
            try:
                async with asyncio.timeout(KEEPALIVE):
                    await self._changed.wait()
            except TimeoutError:
                await ws.send('{"type":"keepalive"}')
