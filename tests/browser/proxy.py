"""A reverse proxy that has a server under a path of its own, which it strips; nothing else is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PREFIX = b"/captions"
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[tuple[str, list[str]]]:
    """The address of the server at ``port`` behind the proxy, and what was asked of the proxy outside of its path."""
    astray: list[str] = []
    connections: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, rest = head.split(b" ", 2)
            if not path.startswith(PREFIX + b"/"):
                astray.append(path.decode())
                writer.write(NOTHING)
                writer.close()
                return
            if b"upgrade: websocket" not in rest.lower():
                rest = rest.replace(b"Connection: keep-alive", b"Connection: close")  # one request a connection
            from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
            to_server.write(b" ".join((method, path.removeprefix(PREFIX), rest)))
            await asyncio.gather(pass_on(reader, to_server), pass_on(from_server, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PREFIX.decode()}", astray
    finally:
        server.close()
        for connection in connections:  # a browser opens some in advance, and keeps them
            connection.close()


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one to the other until either ends."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
