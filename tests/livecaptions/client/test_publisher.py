import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from captions.errors import SetupError
from livecaptions.client import publisher as module
from livecaptions.client import retry
from livecaptions.client.publisher import Event, Publisher, Stream
from livecaptions.client.refused import RefusedError, UnreachableError
from tests.livecaptions.client.scripted import Part, Peer, playing, refusal

AUDIO = bytes(range(256)) * 40
FRAME = 640


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.01)


async def frames(audio: bytes = AUDIO) -> AsyncIterator[bytes]:
    for at in range(0, len(audio), FRAME):
        yield audio[at : at + FRAME]
        await asyncio.sleep(0)


async def published(
    *parts: Part,
    source: Callable[[], AsyncIterator[bytes]] = frames,
    **stream: Any,  # noqa: ANN401 - the stream's own fields
) -> tuple[list[Peer], list[Event]]:
    told: list[Event] = []
    async with playing(parts) as (url, peers), asyncio.timeout(30):
        await Publisher(Stream(server=url, room="hall", **stream), told.append).publish(source())
    return peers, told


async def all_is_well(peer: Peer) -> None:
    await peer.ready()
    await peer.hear_end()
    await peer.say("ack", offset=len(peer.audio))
    await peer.say("caption", text="hello")
    await peer.done()


async def test_a_stream_is_sent_and_its_captions_come_back() -> None:
    (peer,), told = await published(
        all_is_well, speaker="Ada Ä", vocabulary=("Kafka & Co", "seq"), language="en", token="t"
    )
    assert bytes(peer.audio) == AUDIO
    assert [event["type"] for event in told] == ["ready", "ack", "caption", "done"]
    url = urlsplit(peer.target)
    assert url.path == "/v1/rooms/hall/publish"
    assert parse_qs(url.query) == {
        "track": ["main"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "channels": ["1"],
        "speaker": ["Ada Ä"],
        "language": ["en"],
        "vocabulary": ["Kafka & Co", "seq"],
    }
    assert peer.socket.request is not None
    assert peer.socket.request.headers["Authorization"] == "Bearer t"
    assert "Sec-WebSocket-Extensions" not in peer.socket.request.headers


async def test_a_lost_connection_is_resumed_at_the_byte_that_was_acknowledged() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.hear(5000)
        await peer.say("ack", offset=1001)
        await asyncio.sleep(0.05)
        peer.vanish()

    async def resumed(peer: Peer) -> None:
        await peer.ready(offset=1301)  # more was safe than the client had heard of
        await peer.hear_end()
        await peer.done()

    (_, second), told = await published(lost, resumed)
    assert parse_qs(urlsplit(second.target).query)["session"] == ["s1"]
    assert bytes(second.audio) == AUDIO[1301:]
    assert [event["type"] for event in told] == ["ready", "ack", "reconnecting", "ready", "done"]


async def test_a_server_that_drains_is_left_for_another() -> None:
    async def drains(peer: Peer) -> None:
        await peer.ready()
        await peer.hear(1000)
        await peer.say("error", code="shutting_down", message="stopping", retry_after=0.02)
        await peer.socket.close(1001)

    busy = refusal(HTTPStatus.TOO_MANY_REQUESTS, "too_many", retry_after=0.02)
    peers, told = await published(drains, busy, lambda peer: resume_from(peer, 0))
    assert bytes(peers[-1].audio) == AUDIO
    reasons = [event["reason"] for event in told if event["type"] == "reconnecting"]
    assert reasons == ["shutting_down: stopping", "too_many: because"]


async def resume_from(peer: Peer, offset: int) -> None:
    await peer.ready(offset)
    await peer.hear_end()
    await peer.done()


async def test_a_session_that_is_gone_goes_on_in_a_new_one() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.hear(4000)
        await peer.say("ack", offset=1601)
        await asyncio.sleep(0.05)
        peer.vanish()

    (_, second), told = await published(
        lost, refusal(HTTPStatus.NOT_FOUND, "not_found"), lambda peer: resume_from(peer, 0)
    )
    assert "session" not in parse_qs(urlsplit(second.target).query)
    assert bytes(second.audio) == AUDIO[1602:], "from the next whole sample on"
    assert {"type": "restarted"} in told


async def test_no_new_session_is_begun_where_nothing_is_left_to_send() -> None:
    async def late(peer: Peer) -> None:
        await peer.ready()
        await peer.hear_end()
        await peer.say("ack", offset=len(AUDIO))
        await peer.say("error", code="internal", message="the last captions are late")
        await peer.socket.close(1011)

    with pytest.raises(RefusedError, match=r"all the sound is safe.*http://.*/v1/rooms/hall/transcript"):
        await published(late, refusal(HTTPStatus.NOT_FOUND, "not_found"))


async def test_a_container_is_not_taken_up_in_its_middle() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.say("ack", offset=1600)
        await peer.hear(4000)
        peer.vanish()

    with pytest.raises(RefusedError, match="send it again"):
        await published(lost, refusal(HTTPStatus.NOT_FOUND, "not_found"), encoding="container")


@pytest.mark.parametrize("code", ["bad_request", "unauthorized", "track_busy", "unsupported_audio"])
async def test_a_refusal_for_good_is_not_tried_again(code: str) -> None:
    async def refused(peer: Peer) -> None:
        await peer.ready()
        await peer.say("error", code=code, message="what to do")
        await peer.socket.close(1008)

    with pytest.raises(RefusedError, match=f"{code}: what to do"):
        await published(refused)
    with pytest.raises(RefusedError, match=f"{code}: because"):
        await published(refusal(HTTPStatus.BAD_REQUEST, code))


async def test_what_is_no_server_of_ours_is_said() -> None:
    with pytest.raises(RefusedError, match="HTTP 404"):
        await published((HTTPStatus.NOT_FOUND, "<html>"))

    async def another(peer: Peer) -> None:
        await peer.socket.send("hello")

    with pytest.raises(UnreachableError, match="does not speak this protocol"):
        await published(another)
    with pytest.raises(UnreachableError, match="is it running"):
        await Publisher(Stream(server="http://127.0.0.1:1", room="hall"), print).publish(frames())


async def test_audio_is_asked_for_when_the_server_is_ready() -> None:
    asked = asyncio.Event()

    async def watched() -> AsyncIterator[bytes]:
        asked.set()
        yield b"xx"

    async def slow(peer: Peer) -> None:
        await asyncio.sleep(0.05)
        assert not asked.is_set()
        await all_is_well(peer)

    await published(slow, source=watched)
    assert asked.is_set()


async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNACKNOWLEDGED", 2000)
    given = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal given
        async for frame in frames():
            given += len(frame)
            yield frame

    async def grudging(peer: Peer) -> None:
        await peer.ready()
        await peer.hear(2560)
        await asyncio.sleep(0.05)
        assert given <= 2560 + FRAME
        while len(peer.audio) < len(AUDIO):
            await peer.say("ack", offset=len(peer.audio))
            await peer.hear(len(peer.audio) + 1)
        await peer.hear_end()
        await peer.done()

    (peer,), _ = await published(grudging, source=counted)
    assert bytes(peer.audio) == AUDIO


async def test_silence_of_the_source_is_bridged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEPALIVE", 0.02)

    async def pausing() -> AsyncIterator[bytes]:
        yield b"aa"
        await asyncio.sleep(0.1)
        yield b"bb"

    (peer,), _ = await published(all_is_well, source=pausing)
    assert "keepalive" in peer.commands
    assert bytes(peer.audio) == b"aabb"


async def test_a_source_that_breaks_is_ended_captioned_and_said() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"aa"
        raise SetupError("the disk is gone")

    with pytest.raises(SetupError, match="the disk is gone"):
        await published(all_is_well, source=breaking)


async def test_a_stop_ends_a_source_that_goes_on() -> None:
    told: list[Event] = []

    async def endless() -> AsyncIterator[bytes]:
        yield b"aa"
        await asyncio.Future()

    async def heard(peer: Peer) -> None:
        await peer.ready()
        await peer.hear(2)
        publisher.stop()
        await peer.hear_end()
        await peer.say("caption", text="the last words")
        await peer.done()

    async with playing([heard]) as (url, _), asyncio.timeout(30):
        publisher = Publisher(Stream(server=url, room="hall"), told.append)
        await publisher.publish(endless())
    assert [event["type"] for event in told] == ["ready", "caption", "done"]
