"""Attacks by requests: slow, endless, many, and none at all."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from captions.connection_end import ConnectionEnd
from livecaptions.server import connections, http_protocol
from livecaptions.server.http_protocol import LARGEST_BODY, LARGEST_HEAD, MOST_HEADERS, MOST_PIPELINED
from tests.attacks.attacked import ASK, Attacked, attacked, ended, refusal_in, until

pytestmark = pytest.mark.server

HEAD = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"


async def dribble(system: Attacked, begin: bytes, more: bytes) -> bytes:
    raw = await system.raw(begin)
    while not raw.ended.is_set():
        raw.transport.write(more)
        await asyncio.sleep(0.05)
    return raw.last


@pytest.mark.parametrize("begin", [HEAD + b"X-Slow: ", HEAD + UPGRADE + b"X-Slow: ", b"GET /"])
async def test_a_head_that_grows_slowly_is_given_up(begin: bytes) -> None:
    async with attacked(request_timeout=0.5) as system:
        answer = await dribble(system, begin, b"x")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert refusal_in(answer)["code"] == "bad_request"
        assert system.ends == [ConnectionEnd.LATE]
        await system.honest()
        await system.empty()


async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with attacked(request_timeout=0.5) as system:
        raw = await system.raw()
        assert await ended(raw) == b""
        assert system.ends == [ConnectionEnd.LATE]


async def test_line_ends_do_not_keep_an_idle_connection_open() -> None:
    async with attacked(request_timeout=0.5) as system:
        answers = await dribble(system, ASK, b"\r\n")
        assert answers.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in answers
        await system.empty()


async def test_an_idle_connection_is_closed_after_its_answer() -> None:
    async with attacked(request_timeout=0.5) as system:
        raw = await system.raw(ASK)
        assert (await ended(raw)).startswith(b"HTTP/1.1 200 ")
        await system.empty()


async def test_a_request_that_is_being_answered_is_not_late() -> None:
    async with attacked(request_timeout=0.3) as system:
        reader, writer = await asyncio.open_connection("127.0.0.1", system.port)
        writer.write(b"GET /v1/rooms/hall/captions HTTP/1.1\r\nHost: here\r\n\r\n")
        await reader.readuntil(b"event: live")
        async with system.viewer() as viewer:
            await viewer.recv()
            await asyncio.sleep(2 * connections.SWEEP_INTERVAL + 0.3)
            assert system.gateway.viewers == 2
        assert system.ends == []
        writer.transport.abort()


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\nX-Long: ", b"GET / HTTP/1.1\r\nX-Long", b"GET"])
async def test_a_head_without_end_is_refused(begin: bytes) -> None:
    async with attacked() as system:
        raw = await system.raw(begin + b"x" * 2 * LARGEST_HEAD)
        answer = await ended(raw)
        assert answer[:13] in {b"HTTP/1.1 431 ", b"HTTP/1.1 400 "}
        assert system.ends in ([ConnectionEnd.LARGE], [ConnectionEnd.MALFORMED])
        await system.honest()


@pytest.mark.parametrize(("count", "status"), [(MOST_HEADERS - 1, 200), (MOST_HEADERS, 431)])
async def test_headers_are_counted(count: int, status: int) -> None:
    async with attacked() as system:
        raw = await system.raw(HEAD + b"a:\r\n" * count + b"\r\n")
        await raw.answered.wait()
        assert raw.first.startswith(b"HTTP/1.1 %d " % status)


async def test_the_largest_head_is_taken() -> None:
    async with attacked() as system:
        fill = LARGEST_HEAD - len(HEAD) - len(b"X: \r\n\r\n")
        raw = await system.raw(HEAD + b"X: " + b"x" * fill + b"\r\n\r\n")
        await raw.answered.wait()
        assert raw.first.startswith(b"HTTP/1.1 200 ")


async def test_a_body_without_end_is_refused() -> None:
    async with attacked() as system:

        @system.app.post("/echo")
        async def echo(request: Request) -> Response:
            return Response(await request.body())

        async with httpx.AsyncClient(base_url=system.http, trust_env=False) as client:
            assert len((await client.post("/echo", content=bytes(LARGEST_BODY))).content) == LARGEST_BODY
        raw = await system.raw(b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"%x\r\n%s\r\n" % (2**16, bytes(2**16))
        for _ in range(2 * LARGEST_BODY // 2**16):
            if not raw.ended.is_set():
                raw.transport.write(chunk)
                await asyncio.sleep(0)
        await ended(raw)
        assert system.ends == [ConnectionEnd.LARGE]
        await system.empty()


async def test_a_body_that_is_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT", 0.3)
    async with attacked() as system:

        @system.app.post("/echo")
        async def echo(request: Request) -> Response:
            return Response(await request.body())

        head = b"POST %s HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n"
        assert (await dribble(system, head % b"/echo", b"x")).startswith(b"HTTP/1.1 408 ")
        answered = await dribble(system, head % b"/v1/rooms", b"x")  # before its body is complete
        assert answered.startswith(b"HTTP/1.1 405 ")
        assert system.ends == [ConnectionEnd.LATE] * 2


async def test_requests_in_a_row_are_answered_in_order_up_to_a_limit() -> None:
    async with attacked() as system:
        raw = await system.raw(ASK * (MOST_PIPELINED + 1))
        await until(lambda: raw.last.count(b"HTTP/1.1 200 ") >= 2)
        await asyncio.sleep(0.1)
        assert system.ends == []
        many = await system.raw(ASK * 5000)
        await ended(many)
        assert system.ends == [ConnectionEnd.PIPELINED]
        await system.honest()


async def test_who_hangs_up_with_a_request_waiting_leaves_no_viewer() -> None:
    async with attacked() as system:
        raw = await system.raw(b"GET /v1/rooms/hall/captions HTTP/1.1\r\nHost: here\r\n\r\n" + ASK)
        await until(lambda: system.gateway.viewers == 1)
        raw.transport.abort()
        await system.empty()


async def test_a_client_that_closes_its_side_is_let_go() -> None:
    async with attacked() as system:
        raw = await system.raw(HEAD)
        raw.transport.write_eof()
        await ended(raw)
        await system.empty()


async def test_one_connection_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with attacked(total=3) as system:
        held = [await system.raw(ASK) for _ in range(3)]
        for raw in held:
            await raw.answered.wait()
        answer = await ended(await system.raw())
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 10\r\n" in answer
        assert refusal_in(answer)["code"] == "too_many"
        assert system.ends == [ConnectionEnd.FULL]
        monkeypatch.setattr(connections, "GRACE", 0.0)
        await system.honest()  # in the place of the one that has asked for nothing for longest
        assert held[0].ended.is_set()
        assert not held[2].ended.is_set()
        assert system.ends == [ConnectionEnd.FULL, ConnectionEnd.CROWDED]


async def test_who_is_served_loses_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE", 0.0)
    async with attacked(total=2) as system, system.viewer() as one, system.viewer() as other:
        assert (await ended(await system.raw())).startswith(b"HTTP/1.1 429 ")
        assert system.ends == [ConnectionEnd.FULL]
        await one.ping()
        await other.ping()


async def test_an_address_leaves_room_for_others() -> None:
    async with attacked(per_address=2) as system:
        crowd = [await system.raw(ASK, address="127.0.0.2") for _ in range(3)]
        assert b" 429 " in await ended(crowd[2])
        await system.honest()
        for raw in crowd:
            raw.transport.abort()
        await system.empty()
        raw = await system.raw(ASK, address="127.0.0.2")
        await raw.answered.wait()
        assert raw.first.startswith(b"HTTP/1.1 200 ")


async def test_a_crowd_that_says_nothing_makes_room_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE", 0.0)
    async with attacked(per_address=10) as system:
        crowd = [await system.raw() for _ in range(50)]
        await until(lambda: sum(raw.ended.is_set() for raw in crowd) == 40)
        assert system.ends == [ConnectionEnd.CROWDED] * 40
        await system.honest()


async def test_five_thousand_that_say_nothing() -> None:
    async with attacked(request_timeout=1.0) as system:
        crowd = [await system.raw() for _ in range(5000)]
        await system.honest()
        async with system.viewer() as viewer:
            await viewer.recv()
        await system.empty()
        await until(lambda: all(raw.ended.is_set() for raw in crowd))


async def test_who_does_not_read_the_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_TIMEOUT", 0.3)
    async with attacked(request_timeout=0.5) as system:

        @system.app.get("/large")
        async def large() -> Response:
            return Response(bytes(32 * 2**20))

        raw = await system.raw(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n", reads=False)
        await raw.answered.wait()
        await system.empty()
        assert system.ends[-1] is ConnectionEnd.UNREAD
        raw.transport.abort()


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 100, b"HELO here\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
async def test_what_is_no_http_is_refused(garbage: bytes) -> None:
    async with attacked() as system:
        answer = await ended(await system.raw(garbage))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert system.ends == [ConnectionEnd.MALFORMED]
