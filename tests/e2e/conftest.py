"""A real server in a process of its own, with real weights, spoken to as strangers do: sockets and JSON."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

FRAME_SECONDS = 0.1


@dataclass
class Address:
    """Where a server is: HOST:PORT."""

    authority: str

    @property
    def http(self) -> str:
        return f"http://{self.authority}"

    @property
    def ws(self) -> str:
        return f"ws://{self.authority}"


@dataclass
class Server(Address):
    """A running ``livecaptions serve``."""

    process: subprocess.Popen[str]

    def terminate(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def start_server(*flags: str) -> Server:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LIVECAPTIONS_")}
    command = [sys.executable, "-m", "livecaptions.cli", "serve", "--model", "tiny.en", "--port", str(port), *flags]
    process = subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL, stderr=None, env=environment)
    server = Server(f"127.0.0.1:{port}", process)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        try:
            if httpx.get(f"{server.http}/readyz", timeout=5).status_code == 200:
                return server
        except httpx.TransportError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the server was not ready within a minute")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = start_server()
    yield running
    if running.process.poll() is None:
        running.terminate()


def pcm16(path: Path, rate: int = 16_000, seconds: float | None = None) -> bytes:
    """The file as mono PCM16 at ``rate``."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    pcm = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    return pcm[: None if seconds is None else round(seconds * rate)].astype("<i2").tobytes()


@dataclass
class Heard:
    """What a publisher was told."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def finals(self) -> list[dict[str, Any]]:
        return [message for message in self.of("caption") if message["final"]]

    @property
    def text(self) -> str:
        return " ".join(final["text"] for final in self.finals if final["text"])


async def publish(
    server: Address, room: str, audio: bytes, *, speed: float = 1e9, query: str = "", frame: int = 3200
) -> Heard:
    """Send ``audio`` in frames of ``frame`` bytes at ``speed`` times real time (of 16 kHz PCM16), then ``end``."""
    heard = Heard()
    async with connect(f"{server.ws}/v1/rooms/{room}/publish?{query}", compression=None, max_size=None) as ws:
        heard.messages.append(json.loads(await ws.recv()))

        async def listen() -> None:
            async for text in ws:
                heard.messages.append(json.loads(text))

        listener = asyncio.create_task(listen())
        began = time.monotonic()
        for at in range(0, len(audio), frame):
            due = began + at / 32_000 / speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await ws.send(audio[at : at + frame])
        await ws.send('{"type":"end"}')
        await listener
        assert ws.close_code == 1000, (ws.close_code, heard.messages[-1])
    return heard


@asynccontextmanager
async def viewing(server: Address, room: str, query: str = "") -> AsyncIterator[list[dict[str, Any]]]:
    """Collect what a viewer of ``room`` is told while the context lasts."""
    seen: list[dict[str, Any]] = []
    async with connect(f"{server.ws}/v1/rooms/{room}/captions?{query}", compression=None, max_size=None) as ws:

        async def listen() -> None:
            async for text in ws:
                seen.append(json.loads(text))  # noqa: PERF401 - the list is read while it grows

        listener = asyncio.create_task(listen())
        yield seen
        await asyncio.sleep(0.2)
    await listener
