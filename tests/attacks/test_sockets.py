"""Attacks by WebSockets: handshakes, control frames, fragments, lies, and readers that do not read."""

import asyncio
import json
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Frame

from bench.attacks.on_sockets import COMPRESSED, LIES, UNFINISHED, VIEW
from bench.attacks.raw import BINARY, CONTINUATION, PING, TEXT, Raw, close_code, frame
from bench.gateway.clients import handshake
from captions.connection_end import ConnectionEnd
from captions.messages import TrackMessage
from livecaptions.server import connections, http_server, websocket_protocol
from livecaptions.server.websocket_protocol import (
    MOST_CONTROL_FRAMES,
    MOST_DISCARDED,
    MOST_FRAGMENTS,
    WebSocketProtocol,
)
from streamer.rooms.event import Encoded
from streamer.web.view import LARGEST_MESSAGE_BYTES, MOST_MESSAGES
from tests.attacks.attacked import Attacked, attacked, ended, until
from tests.streamer.system import Conversation

pytestmark = pytest.mark.server

PONG = 0xA


async def closed_with(raw: Raw) -> int | None:
    return close_code(await ended(raw))


async def others_are_served(system: Attacked) -> None:
    async with system.viewer("elsewhere") as viewer:
        assert (await Conversation(viewer).next())["type"] == "live"
    await system.honest()


@pytest.mark.parametrize("target", [b"/" + b"x" * 9000, b"/v1/rooms/hall/captions HTTP/1.1\r\nX-Long: " + b"x" * 9000])
async def test_a_handshake_that_the_library_does_not_read_is_answered(target: bytes) -> None:
    async with attacked() as system:
        asked = handshake("/TARGET").replace(b"/TARGET HTTP/1.1", target + b" HTTP/1.1" * target.startswith(b"/xx"))
        answer = await ended(await system.raw(asked))
        assert answer[:11] in {b"HTTP/1.1 41", b"HTTP/1.1 43"}
        assert system.ends == [ConnectionEnd.MALFORMED]
        await system.empty()


@pytest.mark.parametrize("opcode", [PING, PONG])
@pytest.mark.parametrize("what", ["captions", "publish"])
async def test_pings_are_bounded(opcode: int, what: str) -> None:
    async with attacked() as system:
        raw = await system.socket(what)
        await raw.send(frame(opcode, b"x" * 125) * (MOST_CONTROL_FRAMES - 10))
        await asyncio.sleep(0.1)
        assert not raw.ended.is_set()
        await raw.send(frame(opcode, b"x" * 125) * 5000)
        assert await closed_with(raw) == 1008
        assert b"too many pings" in raw.last
        assert system.ends == [ConnectionEnd.PINGS]
        await others_are_served(system)


@pytest.mark.parametrize("fragment", [b"", b"x"])
@pytest.mark.parametrize("what", ["captions", "publish"])
async def test_fragments_are_bounded(fragment: bytes, what: str) -> None:
    async with attacked() as system:
        raw = await system.socket(what)
        await raw.send(frame(TEXT, first_byte=UNFINISHED))
        await raw.send(frame(CONTINUATION, fragment, first_byte=UNFINISHED) * 20 * MOST_FRAGMENTS)
        assert await closed_with(raw) == 1008
        assert system.ends == [ConnectionEnd.FRAGMENTS]
        await others_are_served(system)


async def test_fragments_count_together_as_one_message() -> None:
    async with attacked() as system:
        raw = await system.socket()
        part = bytes(LARGEST_MESSAGE_BYTES // 2)
        await raw.send(frame(BINARY, part, first_byte=UNFINISHED))
        await raw.send(frame(CONTINUATION, part, first_byte=UNFINISHED) * 2)
        assert await closed_with(raw) == 1009


async def test_a_message_in_some_fragments_is_one_message() -> None:
    async with attacked() as system:
        raw = await system.socket("publish")
        await raw.send(frame(TEXT, b'{"type"', first_byte=UNFINISHED))
        await raw.send(frame(CONTINUATION, b"", first_byte=UNFINISHED) * 100 + frame(CONTINUATION, b':"end"}'))
        assert await closed_with(raw) == 1000
        assert b'"type":"done"' in raw.last
        assert system.ends == []


async def test_a_claimed_length_is_judged_before_the_bytes_come() -> None:
    async with attacked() as system:
        raw = await system.socket()
        await raw.send(frame(BINARY, b"x", claimed=LARGEST_MESSAGE_BYTES + 1))
        assert await closed_with(raw) == 1009


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("what", ["captions", "publish"])
async def test_a_frame_that_lies_does_no_harm(lie: bytes, what: str) -> None:
    async with attacked(idle_timeout=0.5) as system:
        raw = await system.socket(what)
        await raw.send(lie)
        assert await closed_with(raw) in {1002, 1003, 1007, 1008, 1009}
        await others_are_served(system)
        await system.empty()


async def test_garbage_behind_the_handshake_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with attacked() as system:
        for garbage in (b"\xff" * 100, frame(PING) * 5000, frame(BINARY, claimed=2**62)):
            raw = await system.raw(handshake(VIEW) + garbage)
            late = await system.raw(handshake(VIEW))
            await asyncio.sleep(0)
            late.transport.write(garbage)
            for one in (raw, late):
                await one.answered.wait()
                one.transport.abort()
        await system.empty()
        assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_compression_is_never_agreed_on() -> None:
    async with attacked() as system:
        async with connect(f"ws://127.0.0.1:{system.port}{VIEW}", compression="deflate") as viewer:
            assert viewer.response is not None
            assert "Sec-WebSocket-Extensions" not in viewer.response.headers
        for offered in (
            b"permessage-deflate",
            b"permessage-deflate; client_max_window_bits",
            b"x-webkit-deflate-frame",
        ):
            raw = await system.socket(offer=b"Sec-WebSocket-Extensions: " + offered + b"\r\n")
            assert b"extensions" not in raw.first.lower()
            await raw.send(frame(BINARY, bytes(1000), first_byte=COMPRESSED))
            assert await closed_with(raw) == 1002


@pytest.mark.parametrize(("depth", "code"), [(100_000, "too_large"), (60_000, "bad_request"), (300, "bad_request")])
async def test_deep_json_is_a_bad_request(depth: int, code: str) -> None:
    async with attacked() as system, system.publisher() as publisher:
        await publisher.send('{"type":' + "[" * depth)
        _, heard = await Conversation(publisher).rest()
        assert [message["code"] for message in heard if message["type"] == "error"] == [code]
        await others_are_served(system)


async def test_a_viewer_that_chatters_is_disconnected() -> None:
    async with attacked() as system, system.viewer() as viewer:
        conversation = Conversation(viewer)
        await conversation.of("live")
        for _ in range(MOST_MESSAGES):
            await viewer.send("{}")
        assert await viewer.ping() is not None
        for _ in range(MOST_MESSAGES):
            await viewer.send("{}")
        code, heard = await conversation.rest()
        assert code == 1008
        assert heard[-1]["code"] == "bad_request"
        await others_are_served(system)


@pytest.mark.parametrize("what", ["captions", "publish"])
async def test_little_is_parsed_after_the_close(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    handle = WebSocketProtocol.handle_text

    def counted(self: WebSocketProtocol, event: Frame) -> None:
        nonlocal parsed
        parsed += 1
        handle(self, event)

    monkeypatch.setattr(WebSocketProtocol, "handle_text", counted)
    async with attacked() as system:
        raw = await system.socket(what)
        while not raw.ended.is_set():
            raw.transport.write(frame(TEXT) * 5000)
            await asyncio.sleep(0)
        assert parsed <= MOST_MESSAGES + MOST_DISCARDED + 2 * websocket_protocol.PARSED_AT_A_TIME / len(frame(TEXT))
        await others_are_served(system)


@pytest.mark.parametrize("what", ["captions", "publish"])
async def test_small_messages_are_parsed_as_they_are_taken(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = 0
    receive = WebSocketProtocol.receive

    async def watched(self: WebSocketProtocol) -> object:
        nonlocal longest
        longest = max(longest, self.queue.qsize())
        return await receive(self)

    monkeypatch.setattr(WebSocketProtocol, "receive", watched)
    async with attacked() as system:
        raw = await system.socket(what)
        await raw.send(frame(TEXT) * 20_000)
        assert await closed_with(raw) == 1008
        assert 1 <= longest <= websocket_protocol.PARSED_AT_A_TIME / len(frame(TEXT)) + 2


async def test_messages_that_come_at_once_are_all_received() -> None:
    async with attacked() as system:
        raw = await system.socket("publish")
        audio = bytes(640)
        await raw.send(frame(BINARY, audio) * 1000 + frame(TEXT, b'{"type":"end"}'))
        assert await closed_with(raw) == 1000
        assert json.loads(raw.last[raw.last.rindex(b'{"type":"done"') : -4])["offset"] == 640_000


async def test_who_answers_no_ping_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "PING_INTERVAL", 0.2)
    monkeypatch.setattr(http_server, "PING_TIMEOUT", 0.2)
    async with attacked() as system:
        raw = await system.socket()
        assert await closed_with(raw) == 1011
        await system.empty()


async def test_a_viewer_that_reads_a_byte_a_second_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_TIMEOUT", 0.5)
    async with attacked(send_timeout=0.5) as system:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", system.port))
            await loop.sock_sendall(sock, handshake(VIEW))
            await until(lambda: system.gateway.viewers == 1)
            (viewer,) = next(iter(system.gateway.hub.rooms)).audience
            sipping = asyncio.create_task(_sip(sock))
            event = Encoded(TrackMessage(room="hall", track="main", speaker="x" * 60_000, state="live"))
            while system.gateway.viewers:
                if viewer.put(event):
                    viewer.wake.set()
                await asyncio.sleep(0.01)
            await system.empty()
            assert ConnectionEnd.UNREAD in system.ends
            sipping.cancel()
            await asyncio.gather(sipping, return_exceptions=True)
        await others_are_served(system)


async def _sip(sock: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(sock, 1):  # noqa: ASYNC110 - the pace is the attack
        await asyncio.sleep(1)
