"""A whole system in this process, on real sockets, with scripted speech."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from auth.authenticator import TokenAuthenticator
from auth.static_tokens import StaticTokens
from captions.access import Principal, Right
from captions.ports.audit import NO_AUDIT, Audit
from captions.ports.authenticator import Authenticator
from captions.ports.engine import Engine
from captions.ports.login import LoginProvider
from captions.ports.probe import Probe
from captions.ports.token_signer import TokenSigner
from captions.ports.tracer import NO_TRACES, Tracer
from captions.ports.usage import UsageLedger
from captions.records import AUDIO, CAPTIONS, DEAD_LETTERS, PARTIALS
from inference.engine.scripted import ScriptedEngine, ScriptedWord
from inference.settings import WorkerSettings
from inference.worker import Worker
from livecaptions.clock import SystemClock
from livecaptions.server import ConnectionLimits, listen, serving
from livecaptions.server.connections import Connections
from streamer.audio.processes import DecoderProcesses
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from streamer.web.app import create_app
from tests.support import EnergyDetector, decoders_of
from transport.memory import MemoryLog, TopicSettings

Message = dict[str, Any]


@dataclass
class System:
    """A running gateway, with its log and application."""

    gateway: Gateway
    log: MemoryLog
    port: int
    app: FastAPI
    connections: Connections

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publisher(self, room: str = "hall", /, **query: object) -> connect:
        return self._socket(room, "publish", query)

    def viewer(self, room: str = "hall", /, **query: object) -> connect:
        return self._socket(room, "captions", query)

    def _socket(self, room: str, what: str, query: dict[str, object]) -> connect:
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        url = f"ws://127.0.0.1:{self.port}/v1/rooms/{room}/{what}?{parameters}"
        return connect(url, compression=None, max_size=None, close_timeout=1)


def principal(rooms: str, *rights: str, tenant: str | None = None) -> Principal:
    """A principal with these rights in the rooms of this name or pattern."""
    return Principal(rooms=(rooms,), rights=frozenset(map(Right, rights)), tenant=tenant)


@asynccontextmanager
async def running(
    script: list[ScriptedWord],
    *,
    working: bool = True,
    delay: float = 0.0,
    captions: TopicSettings | None = None,
    tracer: Tracer = NO_TRACES,
    probe: Probe | None = None,
    engine: Engine | None = None,
    tokens: dict[str, Principal] | None = None,
    authenticator: Authenticator | None = None,
    signer: TokenSigner | None = None,
    processes: DecoderProcesses | None = None,
    usage: UsageLedger | None = None,
    trusted_proxies: Sequence[str] = (),
    audit: Audit = NO_AUDIT,
    login: LoginProvider | None = None,
    limits: ConnectionLimits | None = None,
    **settings: Any,  # noqa: ANN401 - the gateway's own
) -> AsyncIterator[System]:
    """Run a system while the context lasts; without a worker if ``working`` is false."""
    clock = SystemClock()
    topics = {
        AUDIO: TopicSettings(),
        CAPTIONS: captions or TopicSettings(),
        PARTIALS: TopicSettings(),
        DEAD_LETTERS: TopicSettings(),
    }
    log = MemoryLog(topics, clock)
    gateway = Gateway(
        log,
        clock,
        probe or Probe(),
        EnergyDetector,
        GatewaySettings(**settings),
        tracer=tracer,
        authenticator=TokenAuthenticator(clock, static=StaticTokens(tokens)) if tokens is not None else authenticator,
        signer=signer,
        processes=processes,
        usage=usage,
        audit=audit,
    )
    decoders = decoders_of(engine or ScriptedEngine(script), delay=delay)
    worker = Worker(log, decoders, clock, Probe(), WorkerSettings(), tracer=tracer)
    task = asyncio.create_task(worker.run() if working else asyncio.sleep(3600))
    sock = listen("127.0.0.1", 0)
    app = create_app(gateway, login)
    try:
        async with serving(app, sock, trusted_proxies, limits=limits, probe=probe) as connections:
            yield System(gateway, log, sock.getsockname()[1], app, connections)
            await gateway.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Conversation:
    """One client's socket, and the messages that it received."""

    socket: ClientConnection
    heard: list[Message] = field(default_factory=list)

    async def next(self, wanted: Callable[[Message], bool] = lambda _: True, within: float = 30) -> Message:
        """Receive messages up to the first that is ``wanted``, and return it."""
        async with asyncio.timeout(within):
            while True:
                message: Message = json.loads(await self.socket.recv())
                self.heard.append(message)
                if wanted(message):
                    return message

    async def of(self, kind: str, within: float = 30) -> Message:
        return await self.next(lambda message: message["type"] == kind, within)

    async def rest(self, within: float = 30) -> tuple[int, list[Message]]:
        """Receive everything up to the close. Returns the close code and all messages."""
        async with asyncio.timeout(within):
            try:
                while True:
                    self.heard.append(json.loads(await self.socket.recv()))
            except ConnectionClosed as closed:
                return (closed.rcvd.code if closed.rcvd else 1006), self.heard

    def all(self, kind: str) -> list[Message]:
        return [message for message in self.heard if message["type"] == kind]
