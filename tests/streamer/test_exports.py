"""Transcripts for many at little cost: who shares one, who waits, who is refused, and what is kept."""

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from captions.errors import TooMany
from captions.track import RoomId
from streamer.batched_callbacks import BatchedCallbacks
from streamer.rooms import exports, transcripts
from streamer.rooms.exports import MOST_WAITING, Exports
from streamer.rooms.history import StoredEvent
from streamer.rooms.room import Room
from streamer.rooms.transcripts import AbandonedError, Selection, write_transcript
from tests.captions.messages import caption
from tests.streamer.written import Writing

JSON = Selection("json")


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    writing = Writing(monkeypatch)
    yield writing
    writing.go.set()


@pytest.fixture
def made() -> Iterator[Exports]:
    made = Exports()
    yield made
    made.close()


def room_of(finals: int) -> Room:
    room = Room(RoomId("hall"), BatchedCallbacks(16))
    for number in range(finals):
        speak(room, number)
    return room


def speak(room: Room, number: int, start: float = 0.0) -> None:
    room.apply(caption(seq=number, utterance=number, final=True, text=f"number {number}", start=start), 0.0)


def texts(content: bytes) -> list[str]:
    return [caption["text"] for caption in json.loads(content)["captions"]]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - told by a thread
            await asyncio.sleep(0.001)


async def test_all_who_ask_for_the_same_share_one(made: Exports, writing: Writing) -> None:
    room = room_of(3)
    asking = [asyncio.create_task(made.transcript(room, JSON)) for _ in range(50)]
    await until(lambda: len(writing.begun) == 1)
    asking += [asyncio.create_task(made.transcript(room, JSON)) for _ in range(50)]
    await asyncio.sleep(0)
    writing.go.set()
    first, *others = await asyncio.gather(*asking)
    assert texts(first) == ["number 0", "number 1", "number 2"]
    assert all(other is first for other in others)
    assert await made.transcript(room, JSON) is first
    assert len(writing.begun) == 1


async def test_who_asks_after_a_final_gets_it(made: Exports, writing: Writing) -> None:
    room = room_of(1)
    before = asyncio.create_task(made.transcript(room, JSON))
    await until(lambda: len(writing.begun) == 1)
    speak(room, 1)
    after = asyncio.create_task(made.transcript(room, JSON))
    await asyncio.sleep(0)
    writing.go.set()
    assert texts(await before) == ["number 0"]
    assert texts(await after) == ["number 0", "number 1"]
    speak(room, 2)
    assert len(texts(await made.transcript(room, JSON))) == 3


async def test_one_is_written_at_a_time_and_few_wait(made: Exports, writing: Writing) -> None:
    room = room_of(30)
    wanted = [Selection("json", last=number) for number in range(1, MOST_WAITING + 2)]
    asking = [asyncio.create_task(made.transcript(room, selection)) for selection in wanted]
    await until(lambda: len(writing.begun) == 1)
    with pytest.raises(TooMany) as refusal:
        await made.transcript(room, Selection("json", last=20))
    assert refusal.value.retry_after
    same = asyncio.create_task(made.transcript(room, wanted[-1]))  # costs nothing more
    await asyncio.sleep(0)
    assert len(writing.begun) == 1
    writing.go.set()
    assert [len(texts(content)) for content in await asyncio.gather(*asking)] == [*range(1, MOST_WAITING + 2)]
    assert await same is await asking[-1]
    assert len(texts(await made.transcript(room, Selection("json", last=20)))) == 20


async def test_what_nobody_waits_for_is_not_written(made: Exports, writing: Writing) -> None:
    room = room_of(9)
    first = asyncio.create_task(made.transcript(room, JSON))
    await until(lambda: len(writing.begun) == 1)
    left = [asyncio.create_task(made.transcript(room, Selection("json", last=n))) for n in range(1, MOST_WAITING + 1)]
    impatient = asyncio.create_task(made.transcript(room, JSON))
    await asyncio.sleep(0)
    for asking in (impatient, *left):
        asking.cancel()
    await asyncio.wait(left)
    stays = asyncio.create_task(made.transcript(room, Selection("txt")))  # their places are free again
    await asyncio.sleep(0)
    writing.go.set()
    assert len(texts(await first)) == 9
    assert (await stays).startswith(b"number 0")
    assert len(writing.begun) == 2


async def test_the_thread_stops_when_the_last_one_leaves(made: Exports, writing: Writing) -> None:
    room = room_of(3)
    asking = asyncio.create_task(made.transcript(room, JSON))
    await until(lambda: len(writing.begun) == 1)
    asking.cancel()
    await asyncio.wait([asking])
    assert writing.begun[0].is_set()
    again = asyncio.create_task(made.transcript(room, JSON))
    await asyncio.sleep(0)
    writing.go.set()
    assert len(texts(await again)) == 3


@pytest.mark.parametrize("form", ["json", "txt", "srt", "vtt"])
async def test_a_writer_that_is_abandoned_stops_in_the_middle(
    form: transcripts.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcripts, "STRETCH", 0.0)
    finals: list[StoredEvent] = room_of(3).history.finals(before=None, last=None)
    abandoned = threading.Event()
    assert write_transcript(form, finals, abandoned)
    abandoned.set()
    with pytest.raises(AbandonedError):
        write_transcript(form, finals, abandoned)


async def test_finals_are_in_the_order_they_were_spoken_in_every_form() -> None:
    room = room_of(0)
    for number, start in enumerate((6.0, 0.0, 3.0)):
        speak(room, number, start)
    finals = room.history.finals(before=None, last=None)
    written = {
        form: write_transcript(form, finals, threading.Event()).decode() for form in ("json", "txt", "srt", "vtt")
    }
    for content in written.values():
        assert content.index("number 1") < content.index("number 2") < content.index("number 0")
    sent = [event.json.decode() for event in finals]
    assert written["json"] == f'{{"captions":[{sent[1]},{sent[2]},{sent[0]}]}}'


async def test_little_is_kept_and_the_oldest_goes_first(
    made: Exports, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.go.set()
    room = room_of(3)
    one, two = Selection("txt", last=1), Selection("txt", last=2)
    monkeypatch.setattr(exports, "CACHE_BYTES", 20)
    for selection in (one, two, two):  # 9 and 18 bytes
        await made.transcript(room, selection)
    assert len(writing.begun) == 2
    await made.transcript(room, one)
    assert len(writing.begun) == 3
    for _ in range(2):
        await made.transcript(room, JSON)  # larger than all that may be kept
    assert len(writing.begun) == 5


async def test_nothing_of_a_deleted_room_is_kept(made: Exports) -> None:
    room = room_of(3)
    content = await made.transcript(room, JSON)
    held = sys.getrefcount(content)
    made.deleted(RoomId("other"))
    assert sys.getrefcount(content) == held
    made.deleted(room.id)
    assert sys.getrefcount(content) == held - 1


async def test_transcripts_are_kept_for_a_while_only(made: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CACHED_FOR", 0.01)
    content = await made.transcript(room_of(3), JSON)
    held = sys.getrefcount(content)
    await until(lambda: sys.getrefcount(content) < held)
