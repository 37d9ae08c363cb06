"""The cases of the Autobahn test suite, by its numbers and titles, against the viewers' socket.

The socket ignores what viewers send, so a connection that survives a case is one that still answers a ping.
tests/autobahn runs the suite itself against an echo on the same HTTP server.
"""

import asyncio
import struct
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from streamer.web import view
from tests.streamer.system import System, running
from tests.support import script_of

pytestmark = pytest.mark.server

SCRIPT, _ = script_of(1)
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPEN = "open"
ALIVE = b"are you alive"
MEBIBYTE = 1024 * 1024
HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A client's frame. The mask is zero, so that payloads can be read."""
    size = len(payload)
    length = (
        bytes([128 | size])
        if size < 126
        else bytes([128 | 126]) + struct.pack("!H", size)
        if size < 65536
        else bytes([128 | 127]) + struct.pack("!Q", size)
    )
    return bytes([fin << 7 | rsv << 4 | opcode]) + length + bytes(4) + payload


def message(opcode: int, *parts: bytes) -> bytes:
    """A message in fragments."""
    last = len(parts) - 1
    return b"".join(frame(CONT if n else opcode, part, fin=n == last) for n, part in enumerate(parts))


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


def octets(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


class Case(NamedTuple):
    """What is sent, in pieces of ``chop`` bytes if not at once, and the close codes that are right, or ``OPEN``."""

    name: str
    data: bytes
    expected: str | set[int]
    chop: int = 0


def framing() -> Iterator[Case]:
    for group, opcode, kind in ((1, TEXT, "text"), (2, BINARY, "binary")):
        for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            yield Case(f"1.{group}.{number} {kind} message of {size} bytes", frame(opcode, b"*" * size), OPEN)
        yield Case(f"1.{group}.8 {kind} message of 65536 bytes in chops of 997", frame(opcode, b"*" * 65536), OPEN, 997)


def pings() -> Iterator[Case]:
    yield Case("2.1 ping without payload", frame(PING), OPEN)
    yield Case("2.2 ping with text payload", frame(PING, b"Hello, world!"), OPEN)
    yield Case("2.3 ping with binary payload", frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), OPEN)
    yield Case("2.4 ping with 125 bytes", frame(PING, b"\xfe" * 125), OPEN)
    yield Case("2.5 ping with 126 bytes", frame(PING, b"\xfe" * 126), {1002})
    yield Case("2.6 ping with 125 bytes, octet by octet", frame(PING, b"\xfe" * 125), OPEN, 1)
    yield Case("2.7 unsolicited pong without payload", frame(PONG), OPEN)
    yield Case("2.8 unsolicited pong with payload", frame(PONG, b"unsolicited pong payload"), OPEN)
    yield Case("2.9 unsolicited pong, then ping", frame(PONG, b"unsolicited") + frame(PING, b"ping"), OPEN)
    ten = b"".join(frame(PING, b"payload-%d" % n) for n in range(10))
    yield Case("2.10 ten pings", ten, OPEN)
    yield Case("2.11 ten pings, octet by octet", ten, OPEN, 1)


def reserved_bits() -> Iterator[Case]:
    text, ping = frame(TEXT, b"Hello, world!"), frame(PING)
    yield Case("3.1 small text with RSV 1", frame(TEXT, b"Hello", rsv=1), {1002})
    yield Case("3.2 small text, one with RSV 2, ping", text + frame(TEXT, b"Hello", rsv=2) + ping, {1002})
    yield Case("3.3 the same with RSV 3", text + frame(TEXT, b"Hello", rsv=3) + ping, {1002})
    yield Case("3.4 the same with RSV 4, octet by octet", text + frame(TEXT, b"Hello", rsv=4) + ping, {1002}, 1)
    yield Case("3.5 small binary with RSV 5", frame(BINARY, b"\0\xff", rsv=5), {1002})
    yield Case("3.6 ping with RSV 6", frame(PING, b"Hello", rsv=6), {1002})
    yield Case("3.7 close with RSV 7", frame(CLOSE, rsv=7), {1002})


def opcodes() -> Iterator[Case]:
    text = frame(TEXT, b"Hello, world!")
    for group, codes, kind in ((1, range(3, 8), "data"), (2, range(11, 16), "control")):
        for number, code in enumerate(codes, 1):
            before = text if number > 2 else b""
            payload = b"reserved opcode payload" if number in {2, 4} else b""
            yield Case(f"4.{group}.{number} reserved {kind} opcode {code}", before + frame(code, payload), {1002})


def fragmentation() -> Iterator[Case]:
    first, last = frame(TEXT, b"fragment1", fin=False), frame(CONT, b"fragment2")
    ping = frame(PING, b"ping payload")
    yield Case("5.1 ping in two fragments", frame(PING, b"one", fin=False) + frame(CONT, b"two"), {1002})
    yield Case("5.2 pong in two fragments", frame(PONG, b"one", fin=False) + frame(CONT, b"two"), {1002})
    yield Case("5.3 text in two fragments", first + last, OPEN)
    yield Case("5.5 text in two fragments, octet by octet", first + last, OPEN, 1)
    yield Case("5.6 text in two fragments, a ping between", first + ping + last, OPEN)
    yield Case("5.8 the same, octet by octet", first + ping + last, OPEN, 1)
    nothing = frame(CONT, b"non-continuation payload")
    yield Case("5.9 continuation of nothing, then text", nothing + frame(TEXT, b"Hello"), {1002})
    yield Case("5.11 the same, octet by octet", nothing + frame(TEXT, b"Hello"), {1002}, 1)
    nothing = frame(CONT, b"non-continuation payload", fin=False)
    yield Case("5.12 unfinished continuation of nothing, then text", nothing + frame(TEXT, b"Hello"), {1002})
    yield Case("5.14 the same, octet by octet", nothing + frame(TEXT, b"Hello"), {1002}, 1)
    yield Case("5.15 text in two fragments, then a continuation of nothing", first + last + nothing + last, {1002})
    once = frame(CONT, b"fragment1", fin=False) + frame(TEXT, b"fragment2", fin=False) + frame(CONT, b"fragment3")
    yield Case("5.16 unfinished continuation of nothing, text, continuation, twice", once * 2, {1002})
    once = frame(CONT, b"fragment1") + frame(TEXT, b"fragment2", fin=False) + frame(CONT, b"fragment3")
    yield Case("5.17 continuation of nothing, text, continuation, twice", once * 2, {1002})
    yield Case("5.18 text in two fragments, both with opcode text", first + frame(TEXT, b"fragment2"), {1002})
    five = first + frame(CONT, b"2", fin=False) + ping + frame(CONT, b"3", fin=False) + frame(CONT, b"4", fin=False)
    yield Case("5.19 text in five fragments with pings", five + ping + frame(CONT, b"5"), OPEN)


VALID = {
    "6.2.1": HELLO,
    "6.5.1": "κόσμε".encode(),
    "6.6.11": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
    "6.7.1": b"\x00",
    "6.7.2": b"\xc2\x80",
    "6.7.3": b"\xe0\xa0\x80",
    "6.7.4": b"\xf0\x90\x80\x80",
    "6.9.1": b"\x7f",
    "6.9.2": b"\xdf\xbf",
    "6.9.3": b"\xef\xbf\xbf",
    "6.9.4": b"\xf4\x8f\xbf\xbf",
    "6.11.1": b"\xed\x9f\xbf",
    "6.11.2": b"\xee\x80\x80",
    "6.11.3": b"\xef\xbf\xbd",
    "6.11.4": b"\xf4\x8f\xbf\xbf",
    "6.22.1": b"\xef\xbf\xbe",
    "6.22.2": b"\xef\xbf\xbf",
    "6.22.3": b"\xf0\x9f\xbf\xbe",
    "6.23.1": b"\xef\xbf\xbd",
}
INVALID = {
    "6.3.1": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
    "6.4.1": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
    "6.6.1": b"\xce",
    "6.6.3": b"\xce\xba\xe1",
    "6.8.1": b"\xf8\x88\x80\x80\x80",
    "6.8.2": b"\xfc\x84\x80\x80\x80\x80",
    "6.10.1": b"\xf7\xbf\xbf\xbf",
    "6.10.2": b"\xfb\xbf\xbf\xbf\xbf",
    "6.10.3": b"\xfd\xbf\xbf\xbf\xbf\xbf",
    "6.11.5": b"\xf4\x90\x80\x80",
    "6.12.1": b"\x80",
    "6.12.2": b"\xbf",
    "6.12.8": bytes(range(0x80, 0xBF)),
    "6.13.1": b" ".join(octets(bytes(range(0xC0, 0xE0)))),
    "6.13.5": b"\xfc \xfd ",
    "6.14.1": b"\xc0",
    "6.14.6": b"\xdf",
    "6.14.10": b"\xfd\xbf\xbf\xbf\xbf",
    "6.15.1": b"\xc0\xe0\x80\xf0\x80\x80",
    "6.16.1": b"\xfe",
    "6.16.2": b"\xff",
    "6.17.1": b"\xc0\xaf",
    "6.17.5": b"\xfc\x80\x80\x80\x80\xaf",
    "6.18.1": b"\xc1\xbf",
    "6.18.5": b"\xfc\x83\xbf\xbf\xbf\xbf",
    "6.19.1": b"\xc0\x80",
    "6.19.5": b"\xfc\x80\x80\x80\x80\x80",
    "6.20.1": b"\xed\xa0\x80",
    "6.20.7": b"\xed\xbf\xbf",
    "6.21.1": b"\xed\xa0\x80\xed\xb0\x80",
    "6.21.8": b"\xed\xaf\xbf\xed\xbf\xbf",
}


def utf8() -> Iterator[Case]:
    yield Case("6.1.1 empty text", frame(TEXT), OPEN)
    yield Case("6.1.2 three empty fragments", message(TEXT, b"", b"", b""), OPEN)
    yield Case("6.1.3 three fragments, the one in the middle with content", message(TEXT, b"", HELLO, b""), OPEN)
    yield Case("6.2.2 valid text in two fragments between characters", message(TEXT, HELLO[:12], HELLO[12:]), OPEN)
    yield Case("6.2.3 valid text in fragments of one octet", message(TEXT, *octets(HELLO)), OPEN)
    for number, text in VALID.items():
        yield Case(f"{number} valid UTF-8", frame(TEXT, text), OPEN)
    for number, text in INVALID.items():
        yield Case(f"{number} invalid UTF-8", frame(TEXT, text), {1007})
    yield Case("6.3.2 invalid UTF-8 in fragments of one octet", message(TEXT, *octets(INVALID["6.3.1"])), {1007})
    yield Case("6.4.3 invalid UTF-8, chopped in its middle", frame(TEXT, INVALID["6.4.1"]), {1007}, 12)


def closes() -> Iterator[Case]:
    normal, text = closing(1000), frame(TEXT, b"Hello World!")
    yield Case("7.1.1 text, then close", text + normal, {1000})
    yield Case("7.1.2 two closes", normal * 2, {1000})
    yield Case("7.1.3 ping after close", normal + frame(PING), {1000})
    yield Case("7.1.4 text after close", normal + text, {1000})
    split = frame(TEXT, b"fragment1", fin=False) + normal + frame(CONT, b"fragment2")
    yield Case("7.1.5 close between two fragments", split, {1000, 1002})  # the library is strict: tests/autobahn
    yield Case("7.1.6 256 KiB of text, close, ping", frame(TEXT, b"*" * 2**18) + normal + frame(PING), {1000})
    yield Case("7.3.1 close without payload", frame(CLOSE), {1000, 1005})
    yield Case("7.3.2 close with a payload of one octet", frame(CLOSE, b"a"), {1002})
    yield Case("7.3.3 close with a code", normal, {1000})
    yield Case("7.3.4 close with code and reason", closing(1000, b"Hello World!"), {1000})
    yield Case("7.3.5 close with the longest reason", closing(1000, b"*" * 123), {1000})
    yield Case("7.3.6 close with a reason that is too long", closing(1000, b"*" * 124), {1002})
    yield Case("7.5.1 close with a reason that is no UTF-8", closing(1000, INVALID["6.3.1"]), {1002, 1007})
    valid = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for number, code in enumerate(valid, 1):
        yield Case(f"7.7.{number} close with code {code}", closing(code), {code, 1000})
    for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield Case(f"7.9.{number} close with code {code}, which is not valid", closing(code), {1002})
    for number, code in enumerate((5000, 65535), 1):
        yield Case(f"7.13.{number} close with code {code}, which is not defined", closing(code), {1000, 1002, code})


def limits() -> Iterator[Case]:
    for group, opcode, kind in ((1, TEXT, "text"), (2, BINARY, "binary")):
        for number, size in enumerate((2**16, 2**18, 2**20), 1):
            yield Case(f"9.{group}.{number} {kind} message of {size} bytes", frame(opcode, b"*" * size), OPEN)
        yield Case(f"9.{group}.4 {kind} message of 4 MiB", frame(opcode, b"*" * 4 * MEBIBYTE), {1009})
        parts = [b"*" * 65536] * 64
        yield Case(f"9.{group + 2}.6 {kind} message of 4 MiB in fragments of 64 KiB", message(opcode, *parts), {1009})
        chopped = frame(opcode, b"*" * MEBIBYTE)
        yield Case(f"9.{group + 4}.6 {kind} message of 1 MiB in chops of 2048 bytes", chopped, OPEN, 2048)
        many = frame(opcode, b"*" * 16) * 1000
        yield Case(f"9.{group + 6}.2 a thousand {kind} messages of 16 bytes", many, OPEN)
    parts = [b"*" * 1300] * 50 + [b"*" * 536]
    yield Case("10.1.1 text of 65536 bytes in fragments of 1300", message(TEXT, *parts), OPEN)


CASES = [
    *framing(), *pings(), *reserved_bits(), *opcodes(), *fragmentation(), *utf8(), *closes(), *limits(),
]  # fmt: skip


class Client(asyncio.Protocol):
    """The bytes that arrived. They can be read although the server has reset the connection meanwhile."""

    def __init__(self) -> None:
        self.arrived = bytearray()
        self.more = asyncio.Event()
        self.lost = False

    def data_received(self, data: bytes) -> None:
        """Keep what arrived."""
        self.arrived += data
        self.more.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Know it."""
        self.lost = True
        self.more.set()

    async def take(self, size: int) -> bytes:
        """The next bytes."""
        while len(self.arrived) < size:
            assert not self.lost, "closed without a close frame"
            self.more.clear()
            await self.more.wait()
        taken, self.arrived = bytes(self.arrived[:size]), self.arrived[size:]
        return taken

    async def outcome(self, *, closes: bool) -> str | int:
        """The code that the server closes with (1005: none). Unless it ``closes``, ``OPEN`` once ``ALIVE`` is back."""
        while True:
            head, length = await self.take(2)
            assert head & 0x70 == 0, "reserved bits"
            size = length if length < 126 else int.from_bytes(await self.take(2 if length == 126 else 8), "big")
            payload = await self.take(size)
            if head & 15 == CLOSE:
                while not self.lost:
                    self.more.clear()
                    await self.more.wait()
                return int.from_bytes(payload[:2], "big") if payload else 1005
            if head & 15 == PONG and payload == ALIVE and not closes:
                return OPEN


async def open_socket(system: System, *headers: str) -> tuple[Client, asyncio.Transport, str]:
    """A viewer's connection, and the answer to its handshake."""
    transport, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", system.port)
    lines = [
        "GET /v1/rooms/hall/captions HTTP/1.1", "Host: here", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", "Sec-WebSocket-Version: 13", *headers, "", "",
    ]  # fmt: skip
    transport.write("\r\n".join(lines).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += await client.take(1)
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return client, transport, answer.decode()


async def write(transport: asyncio.Transport, data: bytes, chop: int) -> None:
    """Write in pieces of ``chop`` bytes, or at once, and ask whether the server is alive."""
    size = chop or len(data)
    for at in range(0, len(data), size):
        transport.write(data[at : at + size])
        await asyncio.sleep(0)
    transport.write(frame(PING, ALIVE))


@pytest.mark.parametrize("group", dict.fromkeys(case.name.partition(".")[0] for case in CASES))
async def test_cases_end_as_the_suite_allows(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "LARGEST_MESSAGE_BYTES", MEBIBYTE)  # a viewer's own limits come before the suite's
    monkeypatch.setattr(view, "MOST_MESSAGES", 1_000_000)
    async with running(SCRIPT, working=False) as system:
        for case in CASES:
            if case.name.partition(".")[0] != group:
                continue
            client, transport, _ = await open_socket(system)
            async with asyncio.timeout(30):
                writing = asyncio.create_task(write(transport, case.data, case.chop))
                code = await client.outcome(closes=case.expected != OPEN)
                await writing
            assert code in ({OPEN} if case.expected == OPEN else case.expected), (case.name, code)
            transport.abort()


async def test_compression_cases_12_and_13_do_not_apply() -> None:
    async with running(SCRIPT, working=False) as system:
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        _, transport, answer = await open_socket(system, offer)
        assert "sec-websocket-extensions" not in answer.lower()
        transport.abort()
