import asyncio
from contextlib import aclosing
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from livecaptions_client import Event, Live, Reconnecting, RefusedError, Unknown, retry, view
from tests.client.scripted import Part, Peer, playing, refusal

pytestmark = pytest.mark.server


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.01)


async def seen(
    *parts: Part,
    **wanted: Any,  # noqa: ANN401 - the view's own fields
) -> tuple[list[Peer], list[Event]]:
    """The connections and the events of a view until ``live``."""
    events: list[Event] = []
    async with (
        playing(parts) as (url, peers),
        asyncio.timeout(30),
        aclosing(view(url, "hall", **wanted)) as room,
    ):
        while not events or not isinstance(events[-1], Live):
            events.append(await anext(room))
    return peers, events


async def live(peer: Peer) -> None:
    await peer.send("live")
    await peer.socket.wait_closed()


async def test_a_view_says_what_it_wants() -> None:
    (peer,), events = await seen(live, after=7, tracks=("main", "aside"), partials=False)
    assert urlsplit(peer.target).path == "/v1/rooms/hall/captions"
    assert parse_qs(urlsplit(peer.target).query) == {
        "after": ["7"],
        "track": ["main", "aside"],
        "partials": ["false"],
    }
    assert events == [Live(json={"type": "live"})]


@pytest.mark.parametrize("history", [0, 20, "none", "all"])
async def test_a_view_takes_part_of_the_room_so_far(history: int | str) -> None:
    (peer,), _ = await seen(live, history=history)
    assert parse_qs(urlsplit(peer.target).query) == {"partials": ["true"], "history": [str(history)]}


async def test_a_lost_view_goes_on_after_the_last_seq() -> None:
    async def lost(peer: Peer) -> None:
        await peer.caption("kept", seq=40, final=True)
        await peer.send("news of a later version", seq=41)
        await peer.caption("a partial has none")
        peer.vanish()

    (first, second), events = await seen(lost, live)
    assert "after" not in parse_qs(urlsplit(first.target).query)
    assert parse_qs(urlsplit(second.target).query)["after"] == ["41"]
    assert [event.json["type"] for event in events if not isinstance(event, Unknown)] == [
        "caption", "caption", "reconnecting", "live",
    ]  # fmt: skip


async def test_a_gap_is_not_told_twice() -> None:
    async def lost(peer: Peer) -> None:
        await peer.send("gap", **{"from": 3, "to": 20})
        peer.vanish()

    (_, second), _ = await seen(lost, live, after=3)
    assert parse_qs(urlsplit(second.target).query)["after"] == ["20"]


async def test_a_slow_viewer_and_a_server_that_drains_come_back() -> None:
    async def slow(peer: Peer) -> None:
        await peer.send("error", code="slow_consumer", message="too slow")
        await peer.socket.close(1008)

    async def closes(peer: Peer) -> None:
        await peer.socket.close(1001)

    busy = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "shutting_down", retry_after=0.01)
    _, events = await seen(slow, busy, closes, live)
    reasons = [event.reason for event in events if isinstance(event, Reconnecting)]
    assert reasons == ["slow_consumer: too slow", "shutting_down: because", "connection closed (1001)"]


async def test_a_refusal_for_good_is_raised() -> None:
    with pytest.raises(RefusedError, match="forbidden: because"):
        await seen(refusal(HTTPStatus.FORBIDDEN, "forbidden"))
