"""Clients of a gateway's sockets without a network, so that they can live in virtual time."""

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from captions.errors import REFUSALS
from streamer.web.frames import EXTENSION

BY_CODE = {refusal.code: refusal for refusal in REFUSALS}
Message = dict[str, Any]


class Peer:
    """One client's WebSocket as an ASGI server has it, and all that came over it.

    ``closed`` is the code that the server closed with. ``status`` is the HTTP status of a refusal before the upgrade.
    """

    def __init__(self, app: ASGIApp, path: str, query: list[tuple[str, str]]) -> None:
        self.app = app
        self.heard: list[Message] = []
        self.closed: int | None = None
        self.status: int | None = None
        self.accepted = False
        self.left = False
        self.reading = asyncio.Event()
        self.reading.set()
        self._headers: dict[str, str] = {}
        self._frames: asyncio.Queue[Message] = asyncio.Queue()
        self._frames.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(query).encode(),
            "headers": [],
            "extensions": {EXTENSION: {}, "websocket.http.response": {}},
        }
        self.serving = asyncio.ensure_future(app(scope, self._frames.get, self._send))

    @property
    def open(self) -> bool:
        """Whether both sides may send."""
        return self.accepted and not self.left and self.closed is None

    def send(self, frame: str | bytes) -> None:
        """Send a frame, unless the socket is closed."""
        if self.open:
            kind = "bytes" if isinstance(frame, bytes) else "text"
            self._frames.put_nowait({"type": "websocket.receive", kind: frame})

    def leave(self, code: int) -> None:
        """Close with ``code``; 1006 is a lost connection."""
        if not self.left:
            self.left = True
            self.reading.set()
            self._frames.put_nowait({"type": "websocket.disconnect", "code": code})

    async def _send(self, message: Any) -> None:  # noqa: ANN401 - ASGI's own
        await self.reading.wait()
        if self.left:
            raise OSError("the client has left")
        kind = message["type"].removeprefix("websocket.")
        if self.closed is not None or (self.accepted and kind == "accept"):
            raise RuntimeError(f"{kind} after the end")
        match kind:
            case "accept":
                self.accepted = True
            case "send" if "frames" in message:
                self.heard += map(json.loads, texts(message["frames"]))
            case "send":
                self.heard.append(json.loads(message["text"]))
            case "close":
                self.closed = message["code"]
                self._frames.put_nowait({"type": "websocket.disconnect", "code": self.closed})
            case "http.response.start":
                self.status = message["status"]
                self._headers = {name.decode(): value.decode() for name, value in message["headers"]}
            case "http.response.body":
                self.heard.append(json.loads(message["body"]))
                self.closed = 1006

    def check_refusal(self) -> None:
        """A refusal is the last message, of a known code, and the status or close code is that code's."""
        for message in self.heard[:-1]:
            assert message["type"] != "error", "messages after a refusal"
        refused = self.heard[-1] if self.heard and self.heard[-1]["type"] == "error" else None
        if refused is None:
            assert self.status is None
            assert self.closed in {None, 1000}, f"closed with {self.closed} without a reason"
            return
        kind = BY_CODE[refused["code"]]
        assert refused["message"]
        assert set(refused) <= {"type", "code", "message", "retry_after"}
        if self.status is None:
            assert self.closed in {None, kind.close_code}  # None: not yet
        else:
            assert self.status == kind.http_status
            assert ("retry-after" in self._headers) == ("retry_after" in refused)


def texts(frames: bytes) -> list[bytes]:
    """The payloads of a server's text frames."""
    reader, payloads = StreamReader(), []
    reader.feed_data(frames)
    reader.feed_eof()
    while reader.buffer:
        parsing = Frame.parse(reader.read_exact, mask=False)
        try:
            next(parsing)
        except StopIteration as parsed:
            frame: Frame = parsed.value
        assert frame.opcode is Opcode.TEXT
        payloads.append(bytes(frame.data))
    return payloads


class Errors(logging.Handler):
    """The log lines at level error and above that programs write with the standard library."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(self.format(record))
