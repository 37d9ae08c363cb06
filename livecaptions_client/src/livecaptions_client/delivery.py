"""The delivery of a stream: it sends audio, keeps what is not acknowledged, and resumes when the connection is lost."""

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
"""Bytes kept for sending again; more wait for acknowledgement."""

MOST_FRAME = 64 * 1024
"""Bytes of a frame that the server takes."""

KEEPALIVE = 15.0
"""Seconds without audio after which a keepalive is sent; the server lets go after 60."""


class Delivery:
    """``run`` delivers to the end; ``events`` get every message, and the client's own.

    ``ready`` is set when the server was ready for the first sample, or ``run`` has ended. ``began`` is the loop's
    time of that first sample. No audio is taken once ``ended``.
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
        self._news = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    async def take(self, audio: bytes) -> bool:
        """Take audio to send, and wait while too much is not acknowledged; False where ``ended`` came first."""
        await self.ready.wait()
        for at in range(0, len(audio), MOST_FRAME):
            await self._roomy.wait()
            if self.ended:
                return False
            self._kept.append(audio[at : at + MOST_FRAME])
            if self._kept.size > MOST_UNACKNOWLEDGED:
                self._roomy.clear()
            self._news.set()
        return True

    def end_utterance(self) -> None:
        """End the utterance behind the audio taken so far."""
        self._kept.end_utterance()
        self._news.set()

    def stop(self) -> None:
        """Take no more audio."""
        self.ended = True
        self._news.set()

    async def run(self) -> Done:
        """Deliver until the last caption is out. Raises ``RefusedError`` for good, and ``UnreachableError``."""
        try:
            while (done := await self._connection()) is None:
                await self._retry.wait()
            return done
        finally:
            self.ended = True
            self.ready.set()
            self._roomy.set()
            self.events.close()

    async def _connection(self) -> Done | None:
        """Live through one connection; None when it was lost and another may do better."""
        stream = self._stream
        parameters = stream.parameters(session=self._session, takeover=stream.takeover and self.began is None)
        url = socket_url(self._retry.server, stream.room, "publish", parameters)
        try:
            async with open_socket(url, stream.token) as ws:
                return await self._converse(ws)
        except RefusedError as refused:
            if refused.code == "not_found" and self._session is not None:
                self._begin_anew(refused)
            else:
                self._lost(refused)
        except (OSError, WebSocketException) as error:
            self._lost(error)
        return None

    def _lost(self, error: Exception) -> None:
        self.events.put(reconnecting(self._retry.lost(error)))

    def _begin_anew(self, refused: RefusedError) -> None:
        """The session is gone, perhaps with its server: what was not acknowledged goes into a new one."""
        if self.ended and not self._kept.size:
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
        self.events.put(restarted())

    @property
    def _transcript(self) -> str:
        return f"{self._retry.server.rstrip('/')}/v1/rooms/{self._stream.room}/transcript"

    async def _converse(self, ws: ClientConnection) -> Done:
        """Send and receive until ``done``."""
        ready = await self._next(ws)
        if not isinstance(ready, Ready):
            raise UnreachableError(f"what answered does not speak this protocol: it sent {ready.json['type']!r} first")
        if ready.offset < self._kept.acknowledged:
            raise RefusedError("not_found", f"session {self._session} forgot audio that it had acknowledged")
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
            self._roomy.set()

    async def _send(self, ws: ClientConnection) -> None:
        while True:
            self._news.clear()
            while (frame := self._kept.next()) is not None:
                await ws.send('{"type":"finalize"}' if frame == UTTERANCE_END else frame)
            if self.ended:
                await ws.send('{"type":"end"}')
                return
            try:
                async with asyncio.timeout(KEEPALIVE):
                    await self._news.wait()
            except TimeoutError:
                await ws.send('{"type":"keepalive"}')
