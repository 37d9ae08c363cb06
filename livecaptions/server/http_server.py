"""uvicorn inside an existing event loop. The command handles signals, draining and exit codes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from captions.errors import SetupError
from captions.ports.probe import Probe
from livecaptions.observation import alongside
from livecaptions.server.connections import ConnectionLimits, Connections
from livecaptions.server.http_protocol import HttpProtocol
from livecaptions.server.listening import BACKLOG, open_files
from livecaptions.server.websocket_protocol import LARGEST_MESSAGE_BYTES, WebSocketProtocol
from streamer.batched_callbacks import BatchedCallbacks

UPGRADED_AT_A_TIME = 2
"""WebSocket upgrades per iteration of the event loop. One takes almost a millisecond, and many viewers may connect at
once."""

KEEP_ALIVE = 5
"""Seconds that a connection may be idle after an answer."""

PING_INTERVAL = 20.0
"""Seconds between pings to a WebSocket."""
PING_TIMEOUT = 20.0
"""Seconds after which a client that does not answer a ping is disconnected."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the command handles signals, because it has to drain sessions first


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp,
    sock: socket.socket,
    trusted_proxies: Sequence[str] = (),
    *,
    limits: ConnectionLimits | None = None,
    probe: Probe | None = None,
) -> AsyncIterator[Connections]:
    """Serve ``app`` on ``sock`` while the context lasts. At the end, open connections are closed.

    ``trusted_proxies`` are addresses and networks. A request from one of them comes from the last address in its
    ``X-Forwarded-For`` that is not of a trusted proxy; any other request comes from where it seems to.
    """
    connections = Connections((limits or ConnectionLimits()).within(open_files()), probe or Probe(), trusted_proxies)

    class Http(HttpProtocol):
        upgrades = BatchedCallbacks(UPGRADED_AT_A_TIME)
        taken = connections

    class WebSocket(WebSocketProtocol):
        taken = connections

    config = uvicorn.Config(
        app,
        ws=WebSocket,
        http=Http,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        ws_max_size=LARGEST_MESSAGE_BYTES,
        ws_ping_interval=PING_INTERVAL,
        ws_ping_timeout=PING_TIMEOUT,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=2,
        server_header=False,
        backlog=BACKLOG,
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
        async with alongside(connections.watch()):
            yield connections
    finally:
        server.should_exit = True
        await task
