"""The values that a gateway reports to its probe, on real sockets."""

import asyncio

import httpx
import pytest

from captions.audio import to_bytes
from captions.caption import CaptionId
from captions.track import RoomId
from streamer.gateway import Gateway
from streamer.settings import GatewaySettings
from tests.streamer.speaking import send
from tests.streamer.system import Conversation, principal, running
from tests.support import EnergyDetector, LoopClock, RecordingProbe, memory_log, script_of

pytestmark = pytest.mark.server

SCRIPT, PCM = script_of(2, words=4)
TOKENS = {"ours": principal("*", "publish", "view", tenant="acme"), "theirs": principal("*", "publish", "view")}


@pytest.mark.parametrize(("token", "tenant"), [("ours", "acme"), ("theirs", None)])
async def test_a_session_and_its_audio_are_of_the_tokens_tenant(token: str, tenant: str | None) -> None:
    probe = RecordingProbe()
    async with running(SCRIPT, probe=probe, tokens=TOKENS) as system, system.publisher(token=token) as socket:
        talk = Conversation(socket)
        await send(talk, to_bytes(PCM))
        await socket.send('{"type":"end"}')
        await talk.rest()
    assert probe.values("session_opened") == [tenant]
    assert [arguments for _, arguments in probe.calls["session_closed"]] == [("done", tenant)]
    heard = [arguments for _, arguments in probe.calls["audio_received"]]
    assert {of for _, of in heard} == {tenant}
    assert sum(duration for duration, _ in heard) == pytest.approx(len(PCM) / 16_000, abs=0.01)


async def test_a_resumed_session_stays_with_its_tenant() -> None:
    probe = RecordingProbe()
    async with running(SCRIPT, probe=probe, tokens=TOKENS) as system:
        async with system.publisher(token="ours") as socket:
            session = (await Conversation(socket).next())["session"]
        async with system.publisher(token="ours", session=session) as socket:
            await Conversation(socket).next()
            assert probe.values("session_opened") == ["acme", "acme"]
            await socket.send('{"type":"end"}')
            await Conversation(socket).rest()
    assert {tenant for _, (_, tenant) in probe.calls["session_closed"]} == {"acme"}


async def test_every_message_of_a_socket_is_told() -> None:
    probe = RecordingProbe()
    async with running(SCRIPT, probe=probe) as system, system.viewer() as viewing:
        seen = Conversation(viewing)
        await seen.of("live")
        async with system.publisher() as socket:
            talk = Conversation(socket)
            for _ in range(3):
                await socket.send('{"type":"keepalive"}')
            await socket.send(to_bytes(PCM[:16_000]))
            await socket.send('{"type":"end"}')
            _, heard = await talk.rest()
        await seen.next(lambda message: message["type"] == "track" and message["state"] == "ended")
        await viewing.send("I should say nothing")
    told = [(*arguments, 1)[:3] for _, arguments in probe.calls["socket_message"]]
    assert told.count(("publish", "in", 1)) == 5
    assert told.count(("publish", "out", 1)) == len(heard)
    assert sum(count for *kind, count in told if kind == ["view", "out"]) == len(seen.heard)
    assert told.count(("view", "in", 1)) == 1


@pytest.mark.looptime
async def test_finals_that_are_late_are_told_until_they_come() -> None:
    probe = RecordingProbe()
    gateway = Gateway(memory_log(), LoopClock(), probe, EnergyDetector, GatewaySettings())
    gateway.observe()
    gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 0))
    await asyncio.sleep(2)
    gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 1))
    await asyncio.sleep(1)
    gateway.observe()
    gateway.pending.final(CaptionId(RoomId("hall").track("main"), 0))
    gateway.observe()
    gateway.pending.final(CaptionId(RoomId("hall").track("main"), 1))
    gateway.observe()
    told = [arguments for _, arguments in probe.calls["finals_awaited"]]
    assert [count for count, _ in told] == [0, 2, 1, 0]
    assert [longest for _, longest in told] == pytest.approx([0.0, 3.0, 1.0, 0.0])


async def test_a_gateway_that_stops_says_so() -> None:
    probe = RecordingProbe()
    async with running(SCRIPT, probe=probe) as system, httpx.AsyncClient(base_url=system.http) as http:
        assert probe.calls["draining"] == []
        await system.gateway.drain(1, elsewhere=False)
        assert (await http.get("/v1/rooms/hall/captions")).status_code == 503
    assert len(probe.calls["draining"]) == 1
    assert probe.values("refused") == ["shutting_down"]
