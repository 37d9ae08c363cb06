"""Attacks by what is no WebSocket: heads, bodies, and connections that say nothing."""

import asyncio
import resource
from urllib.parse import quote

from bench.attacks.raw import Crowd, Raw

CHUNK = 64 * 1024
GET = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
ROOM = b"/v1/rooms/hall/captions"


async def slow_head(crowd: Crowd) -> None:
    """Slowloris: 400 heads that grow by a byte a second."""
    await crowd.keep(400, lambda raw: _dribble(raw, b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: "))


async def slow_handshake(crowd: Crowd) -> None:
    """The same with the head of a WebSocket."""
    head = b"GET " + ROOM + b" HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Slow: "
    await crowd.keep(400, lambda raw: _dribble(raw, head))


async def _dribble(raw: Raw, head: bytes) -> None:
    await raw.send(head)
    while True:
        await asyncio.sleep(1)
        await raw.send(b"x")


async def endless_head(crowd: Crowd) -> None:
    """Twenty heads without end: half in one header, half in the address, as fast as they are read."""

    async def behave(raw: Raw) -> None:
        await raw.send(b"GET /" if crowd.opened % 2 else b"GET / HTTP/1.1\r\nX-Long: ")
        while True:
            await raw.send(b"x" * CHUNK)

    await crowd.keep(20, behave)


async def many_headers(crowd: Crowd) -> None:
    """Twenty heads of short headers without end."""

    async def behave(raw: Raw) -> None:
        await raw.send(b"GET / HTTP/1.1\r\n")
        while True:
            await raw.send(b"a:\r\n" * (CHUNK // 4))

    await crowd.keep(20, behave)


async def endless_body(crowd: Crowd) -> None:
    """Twenty requests whose body never ends."""

    async def behave(raw: Raw) -> None:
        await raw.send(b"POST /v1/rooms HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await raw.send(b"%x\r\n%s\r\n" % (CHUNK, b"x" * CHUNK))

    await crowd.keep(20, behave)


async def pipelined(crowd: Crowd) -> None:
    """Twenty that send requests without end and read no answer."""

    async def behave(raw: Raw) -> None:
        while True:
            await raw.send(GET * 1000)

    await crowd.keep(20, behave, reads=False)


async def silent(crowd: Crowd) -> None:
    """5,000 that say nothing."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

    async def behave(raw: Raw) -> None:
        await raw.ended.wait()

    await crowd.keep(5000, behave)


async def idle(crowd: Crowd) -> None:
    """1,000 that ask once, and dribble line ends after the answer."""

    async def behave(raw: Raw) -> None:
        await raw.send(GET)
        await raw.answered.wait()
        while True:
            await asyncio.sleep(1)
            await raw.send(b"\r\n")

    await crowd.keep(1000, behave)


async def half_closed(crowd: Crowd) -> None:
    """400 that close their side in the middle of a head, and stay."""

    async def behave(raw: Raw) -> None:
        await raw.send(b"GET / HTTP/1.1\r\nHost: he")
        raw.transport.write_eof()
        await raw.ended.wait()

    await crowd.keep(400, behave)


BAD_NAMES = (
    b"%ff%fe", b"%c0%af", b"%c1%bf", b"%ed%a0%80", b"%f4%90%80%80", b"%e2%80%ae", b"%00", b"%0d%0aSet-Cookie:%20a=b",
    b"%1b%5b2J", b"..%2f..%2fetc%2fpasswd", b"a%2fb", b"%2e%2e", b"e%cc%81", b"%c3%a9", b"%", b"%zz", b"%25", b"a" * 65,
    b"\xff\xfe", b"\xc3\xa9", b"a\tb", b"a%0a", b"%e2%80%8b", b"-a", b".a", b"%u0041",
)  # fmt: skip
"""Room names that are none: invalid UTF-8, overlong, surrogates, bidi, control characters, slashes, NFC and NFD."""


UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)


def requests_of(name: bytes) -> list[bytes]:
    """Requests that have ``name`` in the path or the query."""
    return [
        b"GET %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n%s\r\n" % (target, upgrade)
        for target in (
            b"/v1/rooms/%s/captions" % name,
            b"/v1/rooms/%s/publish" % name,
            b"/v1/rooms/%s/transcript" % name,
            b"/r/%s" % name,
            b"/static/%s" % name,
            b"/v1/rooms/hall/captions?track=%s" % name,
            b"/v1/rooms/hall/publish?track=%s&speaker=%s&session=%s" % (name, name, name),
        )
        for upgrade in (b"", UPGRADE)
    ]


async def names(crowd: Crowd) -> None:
    """Twenty that ask for names in every encoding, in paths and queries, over HTTP and as WebSockets."""
    asked = [request for name in (*BAD_NAMES, quote("😀").encode()) for request in requests_of(name)]
    at = 0

    async def behave(raw: Raw) -> None:
        nonlocal at
        at += 1
        await raw.send(asked[at % len(asked)])
        await raw.answered.wait()
        if b" 101 " not in raw.first:
            await raw.ended.wait()

    await crowd.keep(20, behave)
