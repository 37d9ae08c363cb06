import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from livecaptions_client import (
    Caption,
    ClientError,
    Done,
    Event,
    Publication,
    Reconnecting,
    RefusedError,
    Restarted,
    UnreachableError,
    delivery,
    publish,
    retry,
)
from tests.client.scripted import Part, Peer, playing, refusal

pytestmark = pytest.mark.server

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
    async with (
        playing(parts) as (url, peers),
        asyncio.timeout(30),
        publish(url, "hall", **stream) as publishing,
    ):
        publishing.feed(source())
        events = [event async for event in publishing]
    return peers, events


def kinds(events: list[Event]) -> list[str]:
    return [event.json["type"] for event in events]


async def all_is_well(peer: Peer) -> None:
    await peer.ready()
    await peer.expect_end()
    await peer.send("ack", offset=len(peer.audio))
    await peer.caption("hello")
    await peer.done()


async def resume_from(peer: Peer, offset: int) -> None:
    await peer.ready(offset)
    await peer.expect_end()
    await peer.done()


HEAVY = {"text": "kubectl", "weight": 2}


class Spoken:
    """A term as an object of the caller's own."""

    text = "Zürich"
    sounds_like = ("zoorik",)
    weight = 1.0


async def test_a_stream_is_sent_and_its_captions_come_back() -> None:
    (peer,), events = await published(
        all_is_well,
        speaker="Ada Ä",
        vocabulary=("Kafka & Co", "{x", HEAVY, Spoken()),
        language="auto",
        languages=("de", "en"),
        endpointing=0.8,
        token="t",
    )
    assert bytes(peer.audio) == AUDIO
    assert kinds(events) == ["ready", "ack", "caption", "done"]
    url = urlsplit(peer.target)
    assert url.path == "/v1/rooms/hall/publish"
    assert parse_qs(url.query) == {
        "track": ["main"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "channels": ["1"],
        "speaker": ["Ada Ä"],
        "language": ["auto"],
        "languages": ["de,en"],
        "endpointing": ["0.8"],
        "vocabulary": [
            "Kafka & Co",
            '{"text": "{x"}',
            '{"text": "kubectl", "weight": 2}',
            '{"text": "Zürich", "sounds_like": ["zoorik"], "weight": 1.0}',
        ],
    }
    assert peer.socket.request is not None
    assert peer.socket.request.headers["Authorization"] == "Bearer t"
    assert "Sec-WebSocket-Extensions" not in peer.socket.request.headers


async def test_a_lost_connection_is_resumed_at_the_byte_that_was_acknowledged() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.receive(5000)
        await peer.send("ack", offset=1001)
        await peer.read()
        peer.vanish()

    async def resumed(peer: Peer) -> None:
        await peer.ready(offset=1301)  # more was safe than the client knew of
        await peer.expect_end()
        await peer.done()

    (first, second), events = await published(lost, resumed, takeover=True)
    assert parse_qs(urlsplit(first.target).query)["takeover"] == ["true"]
    assert parse_qs(urlsplit(second.target).query)["session"] == ["s1"]
    assert "takeover" not in parse_qs(urlsplit(second.target).query)
    assert bytes(second.audio) == AUDIO[1301:]
    assert kinds(events) == ["ready", "ack", "reconnecting", "ready", "done"]


async def test_a_server_that_drains_is_left_for_another() -> None:
    async def drains(peer: Peer) -> None:
        await peer.ready()
        await peer.receive(1000)
        await peer.send("error", code="shutting_down", message="stopping", retry_after=0.02)
        await peer.socket.close(1001)

    busy = refusal(HTTPStatus.TOO_MANY_REQUESTS, "too_many", retry_after=0.02)
    peers, events = await published(drains, busy, lambda peer: resume_from(peer, 0))
    assert bytes(peers[-1].audio) == AUDIO
    reasons = [event.reason for event in events if isinstance(event, Reconnecting)]
    assert reasons == ["shutting_down: stopping", "too_many: because"]


async def test_a_session_that_is_gone_goes_on_in_a_new_one() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.receive(4000)
        await peer.send("ack", offset=1601)
        await peer.read()
        peer.vanish()

    (_, second), events = await published(
        lost, refusal(HTTPStatus.NOT_FOUND, "not_found"), lambda peer: resume_from(peer, 0), takeover=True
    )
    query = parse_qs(urlsplit(second.target).query)
    assert "session" not in query
    assert "takeover" not in query, "who took this track over meanwhile keeps it"
    assert bytes(second.audio) == AUDIO[1602:], "from the next whole sample on"
    assert Restarted(json={"type": "restarted"}) in events


async def test_no_new_session_is_begun_where_nothing_is_left_to_send() -> None:
    async def late(peer: Peer) -> None:
        await peer.ready()
        await peer.expect_end()
        await peer.send("ack", offset=len(AUDIO))
        await peer.send("error", code="internal", message="the last captions are late")
        await peer.socket.close(1011)

    with pytest.raises(RefusedError, match=r"has all the audio.*http://.*/v1/rooms/hall/transcript"):
        await published(late, refusal(HTTPStatus.NOT_FOUND, "not_found"))


async def test_a_container_is_not_taken_up_in_its_middle() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.send("ack", offset=1600)
        await peer.receive(4000)
        peer.vanish()

    with pytest.raises(RefusedError, match="send it again"):
        await published(lost, refusal(HTTPStatus.NOT_FOUND, "not_found"), encoding="container")


@pytest.mark.parametrize("code", ["bad_request", "unauthorized", "track_busy", "unsupported_audio"])
async def test_a_refusal_for_good_is_not_tried_again(code: str) -> None:
    async def refused(peer: Peer) -> None:
        await peer.ready()
        await peer.send("error", code=code, message="what to do")
        await peer.socket.close(1008)

    with pytest.raises(RefusedError, match=f"{code}: what to do"):
        await published(refused)
    with pytest.raises(RefusedError, match=f"{code}: because") as caught:
        await published(refusal(HTTPStatus.BAD_REQUEST, code))
    assert (caught.value.code, caught.value.message, caught.value.retry_after) == (code, "because", None)
    assert not caught.value.passing


async def test_what_is_no_server_of_ours_is_said() -> None:
    with pytest.raises(RefusedError, match="HTTP 404"):
        await published((HTTPStatus.NOT_FOUND, "<html>"))

    async def another(peer: Peer) -> None:
        await peer.socket.send("hello")

    async def too_early(peer: Peer) -> None:
        await peer.send("ack", offset=0)

    for part in (another, too_early):
        with pytest.raises(UnreachableError, match="does not speak this protocol"):
            await published(part)
    with pytest.raises(UnreachableError, match="is it running") as never:
        async with publish("http://127.0.0.1:1", "hall") as publishing:
            await publishing.send(AUDIO)
    assert not never.value.reached


async def test_audio_is_asked_for_when_the_server_is_ready() -> None:
    asked = asyncio.Event()

    async def watched() -> AsyncIterator[bytes]:
        asked.set()
        yield b"xx"

    async def slow(peer: Peer) -> None:
        await peer.read()
        assert not asked.is_set()
        await all_is_well(peer)

    await published(slow, source=watched)
    assert asked.is_set()


@pytest.mark.parametrize("fed", [True, False])
async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch, *, fed: bool) -> None:
    monkeypatch.setattr(delivery, "MOST_UNACKNOWLEDGED", 2000)
    given = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal given
        async for frame in frames():
            given += len(frame)
            yield frame

    async def grudging(peer: Peer) -> None:
        await peer.ready()
        await peer.receive(2560)
        await peer.read()
        assert given <= 2560 + FRAME
        while len(peer.audio) < len(AUDIO):
            await peer.send("ack", offset=len(peer.audio))
            await peer.receive(len(peer.audio) + 1)
        await peer.expect_end()
        await peer.done()

    async with (
        playing([grudging]) as (url, peers),
        asyncio.timeout(30),
        publish(url, "hall") as publishing,
    ):
        if fed:
            publishing.feed(counted())
            async for _ in publishing:
                pass
        else:
            async for frame in counted():
                await publishing.send(frame)
    (peer,) = peers
    assert bytes(peer.audio) == AUDIO


async def test_silence_of_the_source_is_bridged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "KEEPALIVE", 0.02)
    bridged = asyncio.Event()

    async def pausing() -> AsyncIterator[bytes]:
        yield b"aa"
        await bridged.wait()
        yield b"bb"

    async def muted(peer: Peer) -> None:
        await peer.ready()
        await peer.expect_command("keepalive")
        bridged.set()
        await peer.expect_end()
        await peer.done()

    (peer,), _ = await published(muted, source=pausing)
    assert bytes(peer.audio) == b"aabb"


async def test_a_source_that_breaks_is_ended_captioned_and_said() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"aa"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await published(all_is_well, source=breaking)


async def test_a_stop_ends_a_source_that_goes_on() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"aa"
        await asyncio.Future()

    async def receives(peer: Peer) -> None:
        await peer.ready()
        await peer.receive(2)
        publishing.stop()
        await peer.expect_end()
        await peer.caption("the last words")
        await peer.done()

    async with playing([receives]) as (url, _), asyncio.timeout(30), publish(url, "hall") as publishing:
        publishing.feed(endless())
        events = [event async for event in publishing]
    assert kinds(events) == ["ready", "caption", "done"]


async def test_an_utterance_is_ended_where_it_was_asked_for_on_every_connection() -> None:
    async def lost(peer: Peer) -> None:
        await peer.ready()
        await peer.expect_command("finalize")
        assert bytes(peer.audio) == AUDIO
        await peer.send("ack", offset=len(AUDIO))
        await peer.read()
        peer.vanish()

    async def resumed(peer: Peer) -> None:
        await peer.ready(offset=len(AUDIO))
        await peer.expect_end()
        await peer.done()

    async with playing([lost, resumed]) as (url, peers), asyncio.timeout(30), publish(url, "hall") as publishing:
        await publishing.send(AUDIO)
        publishing.finalize()
        async for event in publishing:
            if isinstance(event, Reconnecting):
                break
        done = await publishing.end()
        publishing.finalize()
    assert isinstance(done, Done)
    assert peers[1].commands == ["finalize", "end"]


async def test_large_audio_is_sent_in_frames_that_the_server_takes() -> None:
    large = bytes(200_001)
    sizes: list[int] = []

    async def counting(peer: Peer) -> None:
        await peer.ready()
        while isinstance(frame := await peer.socket.recv(), bytes):
            sizes.append(len(frame))
        await peer.done()

    async with playing([counting]) as (url, _), asyncio.timeout(30), publish(url, "hall") as publishing:
        await publishing.send(bytearray(large))
        await publishing.send(b"")
    assert sizes == [65_536, 65_536, 65_536, 3393]


async def test_leaving_ends_the_stream_and_waits_for_its_captions() -> None:
    async with playing([all_is_well]) as (url, peers), asyncio.timeout(30):
        async with publish(url, "hall") as publishing:
            await publishing.send(AUDIO)
        assert bytes(peers[0].audio) == AUDIO
        assert kinds([event async for event in publishing]) == ["ready", "ack", "caption", "done"]
        with pytest.raises(ClientError, match="ended"):
            await publishing.send(AUDIO)
        with pytest.raises(ClientError, match="once"):
            await publishing.__aenter__()


async def test_leaving_with_an_exception_lets_go_at_once() -> None:
    async def left(peer: Peer) -> None:
        await peer.ready()
        await peer.socket.wait_closed()
        assert peer.commands == []

    async with playing([left]) as (url, _), asyncio.timeout(30):
        publishing = publish(url, "hall")
        with pytest.raises(ZeroDivisionError):
            await leave(publishing)
        with pytest.raises(ClientError, match="was closed"):
            await publishing.end()


async def leave(publishing: Publication) -> None:
    async with publishing:
        await anext(publishing)
        raise ZeroDivisionError


async def test_a_failure_is_raised_wherever_the_publication_is_used_next() -> None:
    refused = refusal(HTTPStatus.FORBIDDEN, "forbidden")
    async with playing([refused, refused, refused, refused]) as (url, _), asyncio.timeout(30):
        with pytest.raises(RefusedError, match="forbidden"):
            async with publish(url, "hall") as publishing:
                await publishing.send(AUDIO)
        with pytest.raises(RefusedError, match="forbidden"):
            async with publish(url, "hall") as publishing:
                await publishing.end()
        with pytest.raises(RefusedError, match="forbidden"):
            async with publish(url, "hall") as publishing:
                await anext(publishing)
        with pytest.raises(RefusedError, match="forbidden"):
            async with publish(url, "hall"):
                pass


async def test_a_publication_is_used_inside_its_context_only() -> None:
    publishing = publish("http://localhost:8080", "hall")
    for use in (publishing.send(b"aa"), publishing.end(), anext(publishing)):
        with pytest.raises(ClientError, match="async with"):
            await use
    with pytest.raises(ClientError, match="async with"):
        publishing.feed(frames())


async def test_events_are_typed() -> None:
    _, events = await published(all_is_well)
    match events[-2:]:
        case [Caption(text="hello", final=False), Done(seconds=1.0, warnings=())]:
            pass
        case others:
            pytest.fail(f"{others}")
