"""uvicorn, run inside an event loop of ours: signals, draining and exit codes are the command's business."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from captions.errors import SetupError
from streamer.batched_callbacks import BatchedCallbacks
from streamer.web.frames import EXTENSION

LARGEST_MESSAGE_BYTES = 1024 * 1024
"""What the protocol library lets through; the gateway refuses frames over 64 KiB with a message of its own."""


UPGRADED_AT_A_TIME = 2
"""Connections that become WebSockets in each round of the event loop: one takes almost a millisecond, with what follows
in the application, and a hall may come at once."""


class _Http(HttpToolsProtocol):
    """uvicorn's HTTP, its upgrades a few at a time: ``rounds`` are those of one server."""

    rounds: BatchedCallbacks

    def handle_websocket_upgrade(self) -> None:
        self.transport.pause_reading()
        self.rounds.add([self._upgrade])

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()


class _WebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, and frames that are made already: see ``streamer.web.frames``."""

    async def run_asgi(self) -> None:
        self.scope["extensions"][EXTENSION] = {}
        await super().run_asgi()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.conn.parser.close()  # it refers to the connection, and would keep it until the next full collection

    async def send(self, message: Any) -> None:  # noqa: ANN401 - any message of ASGI, and our own
        if "frames" not in message or not self.handshake_complete or self.close_sent:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(message["frames"])


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the command handles them: it has sessions to end first


def listen(host: str, port: int, flag: str = "--port") -> socket.socket:
    """A listening socket; ``flag`` sets its port. Raises ``SetupError`` where the address cannot be had."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=2048, reuse_port=False)
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            f"name another address with --host and {flag}, or stop what listens there"
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve ``app`` on ``sock`` until the context is left; connections still open then are closed."""

    class Http(_Http):
        rounds = BatchedCallbacks(UPGRADED_AT_A_TIME)

    config = uvicorn.Config(
        app,
        ws=_WebSocket,
        http=Http,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        ws_max_size=LARGEST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]), name="http")
    try:
        while not server.started:
            if task.done():
                task.result()
                raise SetupError("the HTTP server did not start")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task
