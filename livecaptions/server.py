"""uvicorn inside an existing event loop. The command handles signals, draining and exit codes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
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
"""The limit of the protocol library. The gateway itself refuses frames over 64 KiB with a proper error message."""


UPGRADED_AT_A_TIME = 2
"""WebSocket upgrades per iteration of the event loop. One takes almost a millisecond, and many viewers may connect at
once."""


class _Http(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a limited number of upgrades per iteration. ``upgrades`` belongs to one server."""

    upgrades: BatchedCallbacks

    def handle_websocket_upgrade(self) -> None:
        self.transport.pause_reading()
        self.upgrades.add([self._upgrade])

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()


class _WebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with support for pre-encoded frames (``streamer.web.frames``)."""

    async def run_asgi(self) -> None:
        self.scope["extensions"][EXTENSION] = {}
        await super().run_asgi()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.conn.parser.close()  # it references the connection and would keep it until the next full collection

    def keepalive_timeout(self) -> None:
        if self.read_paused and self.ping_timeout is not None:  # the answer may be behind audio that is not read yet
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

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
        yield  # the command handles signals, because it has to drain sessions first


def listen(host: str, port: int, flag: str = "--port") -> socket.socket:
    """Create a listening socket. ``flag`` is the option that sets its port. Raises ``SetupError`` if it fails."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=2048, reuse_port=False)
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            f"choose another address with --host and {flag}, or stop the program that listens there"
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, sock: socket.socket, trusted_proxies: Sequence[str] = ()) -> AsyncIterator[None]:
    """Serve ``app`` on ``sock`` while the context lasts. At the end, open connections are closed.

    ``trusted_proxies`` are addresses and networks. A request from one of them comes from the last address in its
    ``X-Forwarded-For`` that is not of a trusted proxy; any other request comes from where it seems to.
    """

    class Http(_Http):
        upgrades = BatchedCallbacks(UPGRADED_AT_A_TIME)

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
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),  # without it uvicorn trusts every client on this machine
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
