"""A server that says what a test tells it to, connection after connection."""

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

    async def say(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def ready(self, offset: int = 0, session: str = "s1") -> None:
        await self.say("ready", session=session, room="hall", track="main", offset=offset, resumable=True)

    async def caption(self, text: str, **fields: object) -> None:
        await self.socket.send(json.dumps(caption_message(text, **fields)))

    async def read(self) -> None:
        """Wait until the client has what was sent: it answers a ping behind it."""
        await (await self.socket.ping())

    async def hear(self, size: int) -> None:
        """Listen until ``size`` bytes of audio came."""
        while len(self.audio) < size:
            await self._one()

    async def hear_command(self, command: str) -> None:
        while command not in self.commands:
            await self._one()

    async def hear_end(self) -> None:
        await self.hear_command("end")

    async def done(self) -> None:
        await self.say("done", offset=len(self.audio), seconds=1.0)
        await self.socket.close(1000)

    async def _one(self) -> None:
        frame = await self.socket.recv()
        if isinstance(frame, bytes):
            self.audio += frame
        else:
            self.commands.append(json.loads(frame)["type"])

    def vanish(self) -> None:
        """The connection is cut without a word."""
        self.socket.transport.abort()


Part = Callable[[Peer], Awaitable[None]] | tuple[HTTPStatus, str]
"""What happens on a connection, or the refusal before it."""


def refusal(status: HTTPStatus, code: str, **fields: object) -> tuple[HTTPStatus, str]:
    return status, json.dumps({"code": code, "message": "because", **fields})


@asynccontextmanager
async def playing(parts: Sequence[Part]) -> AsyncIterator[tuple[str, list[Peer]]]:
    """The server's URL and its connections so far; each new one plays the next part. None may be left over."""
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
