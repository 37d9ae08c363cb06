"""Attacks by asking for transcripts: many at once, without waiting, without reading, of a deleted room."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from captions.connection_end import ConnectionEnd
from captions.track import RoomId
from livecaptions.server import connections
from streamer.rooms.exports import MOST_WAITING
from tests.attacks.attacked import SOON, attacked, until
from tests.streamer.speaking import say
from tests.streamer.system import System
from tests.streamer.written import Writing

pytestmark = pytest.mark.server

PATH = "/v1/rooms/hall/transcript"
WORD = "unspeakable"


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    writing = Writing(monkeypatch)
    yield writing
    writing.go.set()


def ask(query: str = "") -> bytes:
    return f"GET {PATH}{query} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


async def talk(system: System, finals: int, text: str = "number") -> None:
    for utterance in range(finals):
        await say(system, utterance=utterance, text=f"{text} {utterance}", final=True)


async def test_a_hall_that_downloads_at_once_costs_one_transcript(writing: Writing) -> None:
    async with attacked() as system, httpx.AsyncClient(base_url=system.http, timeout=SOON) as http:
        await talk(system, 3)
        asking = asyncio.gather(*(http.get(PATH) for _ in range(50)))
        await until(lambda: len(writing.begun) == 1)
        writing.go.set()
        answers = await asking
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        assert len(answers[0].json()["captions"]) == 3
        assert len(writing.begun) == 1


async def test_transcripts_whose_clients_left_are_not_written(writing: Writing) -> None:
    async with attacked() as system, httpx.AsyncClient(base_url=system.http, timeout=SOON) as http:
        await talk(system, 9)
        crowd = [await system.raw(ask(f"?last={n}")) for n in range(1, MOST_WAITING + 2)]
        await until(lambda: len(writing.begun) == 1)
        for raw in crowd:
            raw.transport.abort()
        await system.empty()
        honest = asyncio.create_task(http.get(PATH))
        await until(writing.begun[0].is_set)
        writing.go.set()
        answer = await honest
        assert (answer.status_code, len(answer.json()["captions"])) == (200, 9)
        assert len(writing.begun) == 2


async def test_more_than_may_wait_are_told_to_come_back(writing: Writing) -> None:
    async with attacked() as system, httpx.AsyncClient(base_url=system.http, timeout=SOON) as http:
        await talk(system, 30)
        asking = {asyncio.create_task(http.get(f"{PATH}?last={n}")) for n in range(1, MOST_WAITING + 7)}
        await until(lambda: sum(task.done() for task in asking) == 5)
        await system.honest()
        refused = {task for task in asking if task.done()}
        assert {answer.status_code for answer in await asyncio.gather(*refused)} == {429}
        answer = await refused.pop()
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("too_many", "10")
        writing.go.set()
        answers = await asyncio.gather(*asking)
        assert sorted(answer.status_code for answer in answers) == [200] * (MOST_WAITING + 1) + [429] * 5


@pytest.mark.parametrize("again", [False, True])
async def test_a_room_deleted_meanwhile_is_not_exported(writing: Writing, again: bool) -> None:
    async with attacked() as system, httpx.AsyncClient(base_url=system.http, timeout=SOON) as http:
        await talk(system, 3, WORD)
        asking = asyncio.create_task(http.get(PATH))
        await until(lambda: len(writing.begun) == 1)
        await http.delete("/v1/rooms/hall")
        if again:
            later = datetime.now(UTC) + timedelta(hours=1)
            await say(system, utterance=7, text="afterwards", final=True, started_at=later)
            room = system.gateway.hub.room(RoomId("hall"))
            await until(lambda: bool(room.history.blocks))
        writing.go.set()
        answer = await asking
        assert WORD not in answer.text
        if again:
            assert [caption["text"] for caption in answer.json()["captions"]] == ["afterwards"]
        else:
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_download_that_is_not_read_costs_little_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.rooms.exports.write_transcript", lambda *_: b"x" * 50_000_000)
    monkeypatch.setattr(connections, "UNREAD_TIMEOUT", 0.3)
    async with attacked(send_timeout=0.3) as system:
        await talk(system, 1)
        await system.raw(ask(), reads=False)
        await until(lambda: system.ends == [ConnectionEnd.UNREAD])
        await system.empty()
        await system.honest()
