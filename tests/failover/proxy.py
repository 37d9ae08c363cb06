"""A TCP proxy that is slow, stalls or resets what runs through it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 64 * 1024


class Proxy:
    """Forwards to ``port``; ``delay`` seconds are waited before each chunk, ``open`` is cleared to stall."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.delay = 0.0
        self.open = asyncio.Event()
        self.open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Forward one connection, both ways."""
        there, forth = await asyncio.open_connection("127.0.0.1", self._port)
        pair = {back, forth}
        self._writers |= pair
        try:
            await asyncio.gather(self._pump(here, forth), self._pump(there, back))
        finally:
            self._writers -= pair
            for writer in pair:
                writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await asyncio.sleep(self.delay)
                await self.open.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    def reset(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def proxied(listen: int, port: int) -> AsyncIterator[Proxy]:
    """A proxy on port ``listen`` to ``port`` while the context lasts."""
    proxy = Proxy(port)
    connections: set[asyncio.Task[None]] = set()

    def accepted(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy.serve(here, back))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", listen)
    try:
        yield proxy
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
