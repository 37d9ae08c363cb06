"""What a key, a tenant and an address may use at a gateway, on real sockets: each limit for each of the three."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from captions.access import Principal
from captions.audio import SAMPLE_RATE, to_bytes
from captions.limits import BURST, Allowance, Limit, Scope
from captions.usage import month_of
from livecaptions.clock import SystemClock
from livecaptions.server import http_server
from streamer.audio.raw import MOST_WAITING
from streamer.usage import Usage
from tests.streamer.callers import HERE, THERE, TOKENS, TRIOS, Trio, Who, http_of, publisher_of, viewer_of
from tests.streamer.speaking import END, send, text_of
from tests.streamer.system import Conversation, System, running
from tests.support import RecordingProbe, script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(2, words=4)
AUDIO = to_bytes(PCM)
TALK, TALK_PCM = script_of(8, words=4)
TALK_AUDIO = to_bytes(TALK_PCM)
TALK_SAID = " ".join(word.text for word in TALK)


@asynccontextmanager
async def limited(
    scope: Scope, tokens: dict[str, Principal] | None = None, **allowed: float
) -> AsyncIterator[tuple[System, RecordingProbe, Trio]]:
    """A system where each account of ``scope`` has this allowance, its probe, and three clients."""
    probe = RecordingProbe()
    allowance = Allowance.model_validate(allowed)
    limits: dict[str, Any] = {f"{scope}_limits": allowance}
    async with running(TALK, tokens=tokens or TOKENS, probe=probe, audio_burst=1.0, **limits) as system:
        yield system, probe, TRIOS[scope]


async def refusal_of(connecting: connect) -> tuple[int, str, float]:
    """The status, the code and the time to try again of a socket that is refused."""
    with pytest.raises(InvalidStatus) as error:
        async with connecting:
            pass
    response = error.value.response
    body = json.loads(response.body or b"")
    assert float(response.headers["Retry-After"]) == body["retry_after"] > 0
    return response.status_code, body["code"], body["retry_after"]


async def aiter_of(events: httpx.Response) -> AsyncGenerator[bytes]:
    """The content of a stream that stays open while this generator does."""
    async for content in events.aiter_bytes():
        yield content


def counted(probe: RecordingProbe) -> list[tuple[str, str]]:
    return [call for _, call in probe.calls["limited"]]


@pytest.mark.parametrize("scope", Scope)
async def test_sessions(scope: Scope) -> None:
    async with limited(scope, sessions=1) as (system, probe, (one, same, other)):
        async with publisher_of(system, one, track="one") as first, publisher_of(system, other, track="other") as third:
            await Conversation(third).of("ready")
            publisher = Conversation(first)
            await publisher.of("ready")
            assert (await refusal_of(publisher_of(system, same, track="same")))[:2] == (429, "too_many")
            assert counted(probe) == [(Limit.SESSIONS, scope)]
            await first.send(END)
            await publisher.of("done")
        async with publisher_of(system, same, track="same") as second:
            await Conversation(second).of("ready")


@pytest.mark.parametrize("scope", Scope)
async def test_a_session_whose_connection_is_lost_counts_until_it_ends_and_can_be_resumed(scope: Scope) -> None:
    async with limited(scope, sessions=1) as (system, _, (one, same, _)):
        async with publisher_of(system, one, track="one") as socket:
            session = (await Conversation(socket).of("ready"))["session"]
            socket.transport.abort()
        assert (await refusal_of(publisher_of(system, same, track="same")))[1] == "too_many"
        async with publisher_of(system, one, track="one", session=session) as socket:
            await Conversation(socket).of("ready")


@pytest.mark.parametrize("scope", Scope)
async def test_a_publisher_at_its_limit_may_take_over_its_own_track(scope: Scope) -> None:
    async with (
        limited(scope, sessions=1, rooms=1) as (system, _, (one, _, _)),
        publisher_of(system, one) as first,
        publisher_of(system, one, takeover="true") as second,
    ):
        await Conversation(second).of("ready")
        assert (await Conversation(first).rest())[1][-1]["code"] == "taken_over"


@pytest.mark.parametrize("scope", [Scope.KEY, Scope.ADDRESS])  # tenants share no rooms
async def test_a_takeover_beyond_a_limit_leaves_the_track_to_its_publisher(scope: Scope) -> None:
    async with (
        limited(scope, sessions=1) as (system, _, (one, same, other)),
        publisher_of(system, one, track="one") as first,
        publisher_of(system, other, track="other") as second,
    ):
        for socket in (first, second):
            await Conversation(socket).of("ready")
        refused = await refusal_of(publisher_of(system, same, track="other", takeover="true"))
        assert refused[:2] == (429, "too_many")
        await second.send(END)
        await Conversation(second).of("done")


@pytest.mark.parametrize("scope", Scope)
async def test_rooms(scope: Scope) -> None:
    async with limited(scope, rooms=1) as (system, probe, (one, same, other)), AsyncExitStack() as open_sockets:
        for who, room, track in ((one, "main", "one"), (same, "main", "same"), (other, "side", "other")):
            socket = await open_sockets.enter_async_context(publisher_of(system, who, room, track=track))
            await Conversation(socket).of("ready")
        assert (await refusal_of(publisher_of(system, same, "side", track="more")))[:2] == (429, "too_many")
        assert counted(probe) == [(Limit.ROOMS, scope)]


@pytest.mark.parametrize("scope", Scope)
async def test_viewers_on_sockets_and_event_streams_alike(scope: Scope) -> None:
    async with limited(scope, viewers=2) as (system, probe, (one, same, other)):
        async with (
            viewer_of(system, one) as first,
            viewer_of(system, other) as third,
            http_of(system, same) as http,
            http.stream("GET", "/v1/rooms/hall/captions") as events,
            aclosing(aiter_of(events)) as content,
        ):
            assert events.status_code == 200
            await anext(content)
            for socket in (first, third):
                await Conversation(socket).of("live")
            assert (await refusal_of(viewer_of(system, same)))[:2] == (429, "too_many")
            answer = await http.get("/v1/rooms/hall/captions")
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
            assert counted(probe) == [(Limit.VIEWERS, scope)] * 2
        async with asyncio.timeout(10):
            while system.gateway.limits._viewers:  # noqa: ASYNC110 - the server sets nothing
                await asyncio.sleep(0.01)
        async with viewer_of(system, same) as socket:
            await Conversation(socket).of("live")


async def test_of_many_viewers_at_once_no_more_come_in_than_may() -> None:
    async with limited(Scope.KEY, viewers=5) as (system, _, (one, _, _)), AsyncExitStack() as open_sockets:
        connecting = [open_sockets.enter_async_context(viewer_of(system, one)) for _ in range(40)]
        came = await asyncio.gather(*connecting, return_exceptions=True)
        assert sum(not isinstance(socket, BaseException) for socket in came) == 5


async def test_of_many_publishers_at_once_no_more_come_in_than_may() -> None:
    async with limited(Scope.KEY, sessions=5) as (system, _, (one, _, _)), AsyncExitStack() as open_sockets:
        connecting = [
            open_sockets.enter_async_context(publisher_of(system, one, track=f"t{number}")) for number in range(40)
        ]
        came = await asyncio.gather(*connecting, return_exceptions=True)
        assert sum(not isinstance(socket, BaseException) for socket in came) == 5


@pytest.mark.parametrize("scope", Scope)
async def test_requests_a_second(scope: Scope) -> None:
    async with (
        limited(scope, connections=0.1) as (system, probe, (one, same, other)),
        http_of(system, one) as first,
        http_of(system, same) as second,
        http_of(system, other) as third,
    ):
        for _ in range(2):
            assert (await first.get("/v1/rooms")).status_code == 200
        async with viewer_of(system, same) as socket:
            await Conversation(socket).of("live")
        answer = await second.get("/v1/rooms")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
        assert (await refusal_of(publisher_of(system, one)))[:2] == (429, "too_many")
        assert (await third.get("/v1/rooms")).status_code == 200
        assert counted(probe) == [(Limit.CONNECTIONS, scope)] * 2
        assert (await second.get("/")).status_code == 200  # pages are for all


async def test_guesses_of_tokens_count_for_their_address() -> None:
    async with (
        limited(Scope.ADDRESS, connections=0.1) as (system, _, _),
        http_of(system, Who("guess", HERE)) as guessing,
        http_of(system, Who("k1", THERE)) as honest,
    ):
        answers = [(await guessing.get("/v1/rooms")).status_code for _ in range(5)]
        assert answers == [401, 401, 401, 429, 429]
        assert (await honest.get("/v1/rooms")).status_code == 200


@pytest.mark.parametrize("scope", Scope)
async def test_messages_a_second_and_the_session_can_be_resumed(scope: Scope) -> None:
    async with limited(scope, messages=0.1) as (system, probe, (one, same, other)):
        async with publisher_of(system, one, track="one") as socket, publisher_of(system, same, track="same") as second:
            publisher, sharing = Conversation(socket), Conversation(second)
            session = (await publisher.of("ready"))["session"]
            await sharing.of("ready")
            for _ in range(4):
                await socket.send('{"type":"keepalive"}')
            code, heard = await publisher.rest()
            assert (code, heard[-1]["code"]) == (1013, "too_many")
            assert 1 <= heard[-1]["retry_after"] <= 10
            assert counted(probe) == [(Limit.MESSAGES, scope)]
            await second.send('{"type":"keepalive"}')
            assert (await sharing.rest())[0] == 1013
        async with publisher_of(system, other, track="other") as third:
            await third.send(END)
            await Conversation(third).of("done")
        async with publisher_of(system, one, track="one", session=session) as socket:
            await Conversation(socket).of("ready")


async def test_a_viewer_that_floods_is_disconnected() -> None:
    async with limited(Scope.KEY, messages=0.1) as (system, _, (one, _, _)), viewer_of(system, one) as socket:
        for _ in range(4):
            await socket.send("x")
        code, heard = await Conversation(socket).rest()
        assert (code, heard[-1]["code"]) == (1013, "too_many")


async def test_audio_in_too_many_messages_is_slowed_and_nothing_is_lost() -> None:
    async with limited(Scope.KEY, messages=20) as (system, probe, (one, _, _)), publisher_of(system, one) as socket:
        publisher = Conversation(socket)
        await publisher.of("ready")
        began = asyncio.get_running_loop().time()
        frames = len(TALK_AUDIO) // 800
        await send(publisher, TALK_AUDIO, 800)
        await socket.send(END)
        done = await publisher.of("done")
        assert (done["offset"], text_of(publisher.heard)) == (len(TALK_AUDIO), TALK_SAID)
        assert asyncio.get_running_loop().time() - began >= (frames - 20 * BURST) / 20
        assert counted(probe) == [(Limit.SPEED, Scope.KEY)]


@pytest.mark.parametrize("scope", Scope)
async def test_audio_faster_than_allowed_is_slowed_and_nothing_is_lost(scope: Scope) -> None:
    async with (
        limited(scope, speed=8) as (system, probe, (one, _, _)),
        publisher_of(system, one, track="one") as socket,
    ):
        publisher = Conversation(socket)
        await publisher.of("ready")
        began = asyncio.get_running_loop().time()
        await send(publisher, TALK_AUDIO)
        await socket.send(END)
        done = await publisher.of("done")
        assert (done["offset"], text_of(publisher.heard)) == (len(TALK_AUDIO), TALK_SAID)
        took = asyncio.get_running_loop().time() - began
        assert took >= (done["seconds"] - 1.0 - MOST_WAITING / SAMPLE_RATE) / 8
        assert counted(probe) == [(Limit.SPEED, scope)]


async def test_a_slowed_publisher_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "PING_INTERVAL", 0.2)
    monkeypatch.setattr(http_server, "PING_TIMEOUT", 1.0)
    async with limited(Scope.KEY, speed=2) as (system, _, (one, _, _)), publisher_of(system, one) as socket:
        publisher = Conversation(socket)
        await publisher.of("ready")
        await send(publisher, AUDIO)
        await socket.send(END)
        assert (await publisher.of("done"))["offset"] == len(AUDIO)


@pytest.mark.parametrize("scope", [Scope.KEY, Scope.TENANT])
async def test_minutes_a_month_let_a_session_end_and_no_other_begin(scope: Scope) -> None:
    async with limited(scope, minutes=1 / 60) as (system, probe, (one, same, other)):
        async with publisher_of(system, one, track="one") as socket:
            publisher = Conversation(socket)
            session = (await publisher.of("ready"))["session"]
            await send(publisher, AUDIO[: len(AUDIO) // 2])
            await publisher.next(lambda message: message["type"] == "ack" and message["offset"] >= len(AUDIO) // 4)
            refused = await refusal_of(publisher_of(system, same, track="same"))
            assert refused[:2] == (429, "quota_exceeded")
            assert refused[2] <= 31 * 86400
            socket.transport.abort()
        async with publisher_of(system, one, track="one", session=session) as socket:  # running sessions go on
            publisher = Conversation(socket)
            ready = await publisher.of("ready")
            await send(publisher, AUDIO[ready["offset"] :])
            await socket.send(END)
            assert (await publisher.of("done"))["offset"] == len(AUDIO)
        async with publisher_of(system, other, track="other") as socket:
            await Conversation(socket).of("ready")
            refused = await refusal_of(publisher_of(system, same, track="other", takeover="true"))
            assert refused[1] == "quota_exceeded"
            await socket.send(END)  # it has kept its track
            await Conversation(socket).of("done")
        async with viewer_of(system, one) as socket:
            await Conversation(socket).of("live")
        assert counted(probe) == [(Limit.MINUTES, scope)] * 2


async def test_audio_counts_for_its_key_and_tenant_and_for_no_address() -> None:
    usage = Usage(SystemClock())
    async with running(SCRIPT, tokens=TOKENS, usage=usage) as system, publisher_of(system, Who("k1", HERE)) as socket:
        publisher = Conversation(socket)
        await publisher.of("ready")
        await send(publisher, AUDIO)
        await socket.send(END)
        seconds = (await publisher.of("done"))["seconds"]
        counts = usage.totals.of_month(month_of(SystemClock().wall()))
        assert counts == {"key:k1": pytest.approx(seconds), "tenant:acme": pytest.approx(seconds)}


async def test_a_key_with_limits_of_its_own() -> None:
    own = Allowance.model_validate({"sessions": 2})
    tokens = {**TOKENS, "k1": Principal(rooms=("*",), rights=TOKENS["k1"].rights, credential="k1", limits=own)}
    async with limited(Scope.KEY, tokens, sessions=1) as (system, _, (one, _, other)):
        async with publisher_of(system, one, track="a") as first, publisher_of(system, one, track="b") as second:
            for socket in (first, second):
                await Conversation(socket).of("ready")
            assert (await refusal_of(publisher_of(system, one, track="c")))[1] == "too_many"
        async with publisher_of(system, other, track="d") as socket:
            await Conversation(socket).of("ready")
            assert (await refusal_of(publisher_of(system, other, track="e")))[1] == "too_many"


async def test_without_limits_nothing_is_counted_but_minutes() -> None:
    async with (
        running(SCRIPT, tokens=TOKENS, address_limits=Allowance()) as system,
        publisher_of(system, Who("k1", HERE)) as socket,
        viewer_of(system, Who("k1", HERE)) as viewing,
    ):
        await Conversation(socket).of("ready")
        await Conversation(viewing).of("live")
        assert not system.gateway.limits._viewers
        assert not system.gateway.limits._buckets
