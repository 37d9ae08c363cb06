"""The messages that publishers and viewers receive when their gateway stops."""

import asyncio

import pytest

from captions.caption import CaptionId
from captions.track import RoomId
from tests.streamer.speaking import AUDIO, END, SAID, SCRIPT, refused, send, text_of
from tests.streamer.system import Conversation, running

pytestmark = pytest.mark.server


async def test_a_drain_sends_the_last_captions_and_lets_everybody_go() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket, system.viewer() as watching:
        talk, view = Conversation(socket), Conversation(watching)
        await talk.next()
        await view.of("live")
        await send(talk, AUDIO[:60_000])
        (held,) = system.gateway.sessions.held
        while held.session.samples < 30_000:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)
        draining = asyncio.create_task(system.gateway.drain(5, elsewhere=False))
        for conversation in (talk, view):
            code, heard = await conversation.rest()
            assert (heard[-1]["code"], code) == ("shutting_down", 1001)
            assert text_of(heard).startswith(SCRIPT[0].text)
        await draining
        status, body, _ = await refused(system, track="late")
        assert (status, body["code"]) == (503, "shutting_down")


async def test_a_publisher_that_did_not_end_is_not_told_done_by_a_drain() -> None:
    async with running(SCRIPT) as system, system.publisher(track="quiet") as quiet, system.publisher() as busy:
        idle, talk = Conversation(quiet), Conversation(busy)
        await idle.next()
        await talk.next()
        system.gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 99))  # an utterance whose final is late
        draining = asyncio.create_task(system.gateway.drain(0.5, elsewhere=False))
        for conversation in (idle, talk):
            code, heard = await conversation.rest()
            assert (heard[-1]["type"], heard[-1]["code"], code) == ("error", "shutting_down", 1001)
        await draining


async def test_a_drain_lets_a_publisher_that_ended_have_its_done() -> None:
    async with running(SCRIPT, delay=0.3) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO)
        await socket.send(END)
        await talk.next(lambda m: m["type"] == "ack" and m["offset"] == len(AUDIO))
        draining = asyncio.create_task(system.gateway.drain(10, elsewhere=False))
        code, heard = await talk.rest()
        await draining
    assert (heard[-1]["type"], code) == ("done", 1000)
    assert text_of(heard) == SAID


async def test_bytes_that_come_after_a_drain_began_are_not_acknowledged() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO[:60_000])
        await talk.next(lambda m: m["type"] == "ack" and m["offset"] > 30_000)
        system.gateway.pending.ended(CaptionId(RoomId("hall").track("other"), 99))
        draining = asyncio.create_task(system.gateway.drain(0.5, elsewhere=False))
        await system.gateway.sessions.held[0].session.until_written()
        await send(talk, AUDIO[60_000:])
        _, heard = await talk.rest()
        await draining
    assert max(ack["offset"] for ack in talk.all("ack")) <= 60_000
    assert heard[-1]["code"] == "shutting_down"


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_an_end_that_comes_after_a_drain_began_is_not_told_done(elsewhere: bool) -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        talk = Conversation(socket)
        await talk.next()
        await send(talk, AUDIO[:60_000])
        await talk.next(lambda m: m["type"] == "ack" and m["offset"] > 30_000)
        system.gateway.pending.ended(CaptionId(RoomId("hall").track("main"), 99))  # an utterance whose final is late
        draining = asyncio.create_task(system.gateway.drain(5, elsewhere=elsewhere))
        await system.gateway.sessions.held[0].session.until_written()
        await socket.send(END)
        code, heard = await talk.rest()
        system.gateway.pending.final(CaptionId(RoomId("hall").track("main"), 99))
        await draining
    assert (heard[-1]["code"], code) == ("shutting_down", 1001)
