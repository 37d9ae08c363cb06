"""A server that follows a test's script, connection after connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.client.messages import caption_message


@dataclass
class Peer:
    """One connection, as the server sees it."""

    socket: ServerConnection
    audio: bytearray = field(default_factory=bytearray)
    commands: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        assert self.socket.request is not None
        return self.socket.request.path

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def ready(self, offset: int = 0, session: str = "s1") -> None:
        await self.send("ready", session=session, room="hall", track="main", offset=offset, resumable=True)

    async def caption(self, text: str, **fields: object) -> None:
        await self.socket.send(json.dumps(caption_message(text, **fields)))

    async def read(self) -> None:
        """Wait until the client has received everything sent so far: it then answers a ping."""
        await (await self.socket.ping())

    async def receive(self, size: int) -> None:
        """Receive until ``size`` bytes of audio have arrived."""
        while len(self.audio) < size:
            await self._receive_frame()

    async def expect_command(self, command: str) -> None:
        while command not in self.commands:
            await self._receive_frame()

    async def expect_end(self) -> None:
        await self.expect_command("end")

    async def done(self) -> None:
        await self.send("done", offset=len(self.audio), seconds=1.0)
        await self.socket.close(1000)

    async def _receive_frame(self) -> None:
        frame = await self.socket.recv()
        if isinstance(frame, bytes):
            self.audio += frame
        else:
            self.commands.append(json.loads(frame)["type"])

    def vanish(self) -> None:
        """Cut the connection without a close frame."""
        self.socket.transport.abort()


Part = Callable[[Peer], Awaitable[None]] | tuple[HTTPStatus, str]
"""The script of one connection, or the refusal that the server sends instead of accepting it."""


def refusal(status: HTTPStatus, code: str, **fields: object) -> tuple[HTTPStatus, str]:
    return status, json.dumps({"code": code, "message": "because", **fields})


@asynccontextmanager
async def playing(parts: Sequence[Part]) -> AsyncIterator[tuple[str, list[Peer]]]:
    """Yield the server's URL and its connections so far. Each connection plays the next part. All must be played."""
    left = list(parts)
    peers: list[Peer] = []
    problems: list[BaseException] = []

    def refuse(_: ServerConnection, __: Request) -> Response | None:
        if left and isinstance(part := left[0], tuple):
            left.pop(0)
            status, body = part
            return Response(status.value, status.phrase, Headers(), body.encode())
        return None

    async def play(socket: ServerConnection) -> None:
        peers.append(Peer(socket))
        part = left.pop(0)
        assert not isinstance(part, tuple)
        try:
            await part(peers[-1])
        except BaseException as problem:
            problems.append(problem)
            raise

    server: Server
    async with serve(play, "127.0.0.1", 0, process_request=refuse, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}", peers
        await asyncio.sleep(0)
    assert not left, "the client did not come back"
    assert not [problem for problem in problems if isinstance(problem, AssertionError)]
