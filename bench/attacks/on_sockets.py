"""Attacks by WebSockets, and readers that do not read."""

import asyncio
import socket
import zlib

from bench.attacks.raw import ATTACKER, BINARY, CONTINUATION, HOST, PING, TEXT, Crowd, Raw, frame
from bench.gateway.clients import handshake

VIEW = "/v1/rooms/hall/captions"
UNFINISHED = 0x00
"""The first byte of a frame that is not its message's last."""
COMPRESSED = 0xC0
"""The first byte of a last frame with RSV1, which means permessage-deflate."""


async def open_socket(raw: Raw, path: str = VIEW, offer: bytes = b"") -> None:
    """Become a WebSocket. Raises ``ConnectionError`` if it is refused."""
    request = handshake(path)
    await raw.send(request[:-2] + offer + request[-2:])
    await raw.answered.wait()
    if b" 101 " not in raw.first:
        raise ConnectionError


async def pings(crowd: Crowd) -> None:
    """Twenty viewers that send pings as fast as they are read, and read no pong."""

    async def behave(raw: Raw) -> None:
        await open_socket(raw)
        while True:
            await raw.send(frame(PING, b"x" * 125) * 500)

    await crowd.keep(20, behave, reads=False)


async def fragments(crowd: Crowd) -> None:
    """Twenty messages of empty fragments without end."""

    async def behave(raw: Raw) -> None:
        await open_socket(raw)
        await raw.send(frame(TEXT, first_byte=UNFINISHED))
        while True:
            await raw.send(frame(CONTINUATION, first_byte=UNFINISHED) * 5000)

    await crowd.keep(20, behave)


async def slow_fragments(crowd: Crowd) -> None:
    """400 messages just under the limit that are never finished."""

    async def behave(raw: Raw) -> None:
        await open_socket(raw)
        await raw.send(frame(BINARY, bytes(2**20 - 4096), first_byte=UNFINISHED))
        await raw.ended.wait()

    await crowd.keep(400, behave)


LIES = (
    frame(BINARY, b"x", claimed=2**63 - 1), frame(BINARY, b"x", claimed=2**64 - 1), frame(TEXT, b"x", claimed=2**20),
    frame(PING, b"x" * 200), frame(BINARY, b"x" * 65_000, claimed=65_001), bytes([0x82, 0x04]) + b"bare",
    frame(0x3, b"reserved"), frame(TEXT, b"\xff\xfe"), frame(CONTINUATION, b"of nothing"),
)  # fmt: skip
"""Frames that lie about their length, or break the protocol in another way."""


async def lies(crowd: Crowd) -> None:
    """Fifty frames that claim what does not follow."""
    at = 0

    async def behave(raw: Raw) -> None:
        nonlocal at
        at += 1
        await open_socket(raw)
        await raw.send(LIES[at % len(LIES)])
        await raw.ended.wait()

    await crowd.keep(50, behave)


async def deflated(crowd: Crowd) -> None:
    """Twenty that offer permessage-deflate, and send 50 MB of zeros compressed."""
    compressor = zlib.compressobj(wbits=-15)
    bomb = compressor.compress(bytes(50 * 2**20)) + compressor.flush(zlib.Z_SYNC_FLUSH)

    async def behave(raw: Raw) -> None:
        await open_socket(raw, offer=b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        await raw.send(frame(BINARY, bomb, first_byte=COMPRESSED))
        await raw.ended.wait()

    await crowd.keep(20, behave)


async def nested(crowd: Crowd) -> None:
    """Ten publishers that send JSON nested 100,000 deep, and as deep as a frame holds."""

    async def behave(raw: Raw) -> None:
        await open_socket(raw, f"/v1/rooms/nested/publish?track=t{crowd.opened}")
        depth = 100_000 if crowd.opened % 2 else 30_000
        await raw.send(frame(TEXT, b'{"type":' + b"[" * depth))
        await raw.says(b'"type":"error"')

    await crowd.keep(10, behave)


async def chatter(crowd: Crowd) -> None:
    """Twenty viewers that send empty messages as fast as they are read."""

    async def behave(raw: Raw) -> None:
        await open_socket(raw)
        while True:
            await raw.send(frame(TEXT) * 5000)

    await crowd.keep(20, behave)


async def mute(crowd: Crowd) -> None:
    """400 viewers of what is said that vanish: they read nothing and answer no ping."""

    async def behave(raw: Raw) -> None:
        await open_socket(raw, f"/v1/rooms/{crowd.room}/captions")
        await raw.ended.wait()

    await crowd.keep(400, behave, reads=False)


async def slow_readers(crowd: Crowd) -> None:
    """100 viewers of what is said, and 100 downloads, that read a byte a second."""
    viewer = handshake(f"/v1/rooms/{crowd.room}/captions")
    download = b"GET /static/style.css HTTP/1.1\r\nHost: here\r\n\r\n" * 10
    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(_sip(crowd, viewer))
            group.create_task(_sip(crowd, download))


async def _sip(crowd: Crowd, request: bytes) -> None:
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.bind((ATTACKER, 0))
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, (HOST, crowd.port))
                crowd.opened += 1
                await loop.sock_sendall(sock, request)
                while await loop.sock_recv(sock, 1):  # noqa: ASYNC110 - the pace is the attack
                    await asyncio.sleep(1)
            except OSError:
                pass
            crowd.ends["no word"] += 1
        await asyncio.sleep(1)
