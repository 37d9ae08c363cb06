"""A room is deleted: nobody sees again what was said, and nothing of it is left in memory."""

import asyncio
import gc
import json

import httpx
import pytest

from captions.records import AUDIO as AUDIO_TOPIC
from captions.records import CAPTIONS, DEAD_LETTERS, PARTIALS
from captions.track import RoomId
from tests.streamer.speaking import AUDIO, END, SAID, SCRIPT, say, send, text_of
from tests.streamer.system import Conversation, Message, System, principal, running

pytestmark = pytest.mark.server

WORD = "unspeakable"
TOPICS = (AUDIO_TOPIC, CAPTIONS, PARTIALS, DEAD_LETTERS)


def final(message: Message) -> bool:
    return bool(message["type"] == "caption" and message["final"])


async def delete(system: System, room: str = "hall", **query: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.delete(f"{system.http}/v1/rooms/{room}", params=query)


async def get(system: System, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(f"{system.http}/v1/rooms/{path}")


async def events_of(system: System, last_event_id: int) -> list[tuple[str, int | None]]:
    """The events, with their ids, that a reader of the event stream gets up to live."""
    events: list[tuple[str, int | None]] = []
    number = None
    headers = {"Last-Event-ID": str(last_event_id)}
    url = f"{system.http}/v1/rooms/hall/captions"
    async with httpx.AsyncClient() as http, http.stream("GET", url, headers=headers) as response:
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                number = int(line.removeprefix("id: "))
            if line.startswith("event: "):
                events.append((line.removeprefix("event: "), number))
                number = None
            if events and events[-1][0] == "live":
                break
    return events


async def whole_log(system: System) -> bytes:
    """Every key, value and header that the log holds."""
    held = b""
    for topic in TOPICS:
        bounds = await system.log.bounds(topic, 0)
        reading = system.log.read(topic, 0, bounds.earliest)
        for _ in range(bounds.end - bounds.earliest):
            record = (await anext(reading)).record
            held += record.key.encode() + record.value + b"".join(record.headers.values())
        await reading.aclose()
    return held


async def test_what_was_said_is_gone_for_everybody_and_from_the_log() -> None:
    async with running(SCRIPT) as system:
        async with system.publisher() as socket:
            speaker = Conversation(socket)
            await speaker.of("ready")
            await send(speaker, AUDIO)
            await socket.send(END)
            await speaker.of("done")
        assert text_of(speaker.heard) == SAID
        await say(system, room="other", text="kept words", final=True)
        async with system.viewer() as socket:
            viewer = Conversation(socket)
            await viewer.of("live")
            seen = max(message["seq"] for message in viewer.heard if "seq" in message)
            response = await delete(system)
            told = await viewer.of("deleted")
        answer = response.json()
        assert response.status_code == 200
        assert answer == {
            "room": "hall",
            "tenant": None,
            "deleted_at": told["deleted_at"],
            "hidden": True,
            "gone_by": told["deleted_at"],
        }
        assert told["seq"] > seen
        held = await whole_log(system)
        assert SAID[:20].encode() not in held
        assert all(f'"{word}"'.encode() not in held for word in SAID.split())
        assert b"kept words" in held
        assert len(held) < 20_000  # no audio
        assert (await get(system, "hall/transcript")).status_code == 404
        async with system.viewer() as socket:
            late = Conversation(socket)
            await late.of("live")
        assert not late.all("caption")
        async with system.viewer(after=seen) as socket:
            resumed = Conversation(socket)
            await resumed.of("live")
        assert resumed.heard[:2] == [{"type": "gap", "from": seen, "to": told["seq"]}, told]
        assert not resumed.all("caption")
        assert await events_of(system, seen) == [("gap", None), ("deleted", told["seq"]), ("live", None)]
        assert await events_of(system, told["seq"]) == [("live", None)]
        async with system.viewer(after=told["seq"]) as socket:
            await (up_to_date := Conversation(socket)).of("live")
        assert not up_to_date.all("gap") + up_to_date.all("deleted")


async def test_deleting_twice_is_no_error_and_an_unknown_room_is_not_found() -> None:
    async with running(SCRIPT, working=False) as system:
        unknown = await delete(system)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        await say(system, final=True)
        first, second = await delete(system), await delete(system)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json()["deleted_at"] <= second.json()["deleted_at"]


async def test_only_who_manages_a_room_deletes_it_and_a_tenants_room_is_another() -> None:
    tokens = {
        "speaks": principal("*", "publish", "view", "edit"),
        "manages": principal("hall", "manage"),
        "tenant": principal("*", "manage", tenant="acme"),
    }
    async with running(SCRIPT, working=False, tokens=tokens) as system:
        await say(system, final=True, text="kept words")
        assert (await delete(system)).status_code == 401
        assert (await delete(system, token="speaks")).status_code == 403
        assert (await delete(system, token="tenant")).status_code == 404
        assert b"kept words" in await whole_log(system)
        assert (await delete(system, token="manages")).status_code == 200
        assert b"kept words" not in await whole_log(system)


async def test_a_session_goes_on_after_a_deletion_with_higher_numbers_and_nothing_from_before() -> None:
    async with running(SCRIPT) as system, system.publisher() as socket:
        speaker = Conversation(socket)
        await speaker.of("ready")
        half = len(AUDIO) // 2 - len(AUDIO) // 2 % 2
        await send(speaker, AUDIO[:half])
        before = await speaker.next(lambda message: message["type"] == "caption")
        async with system.viewer() as viewing:
            viewer = Conversation(viewing)
            await viewer.of("live")
            await delete(system)
            deleted = await viewer.of("deleted")
            await send(speaker, AUDIO)
            await socket.send(END)
            done = await speaker.of("done")
            assert done["offset"] == half + len(AUDIO)
            end = await viewer.next(lambda message: message.get("state") == "ended")
            later = [m for m in viewer.heard[viewer.heard.index(deleted) :] if m["type"] == "caption"]
        assert {message["utterance"] for message in later if message["text"]} >= {before["utterance"] + 1}
        assert all(message["utterance"] > before["utterance"] for message in later if message["text"])
        assert end["seq"] > deleted["seq"]
        assert [m["state"] for m in viewer.all("track") if m["seq"] > deleted["seq"]] == ["live", "ended"]


async def test_numbers_go_on_in_a_new_session_after_a_deletion() -> None:
    async with running(SCRIPT) as system:
        numbers = []
        for _ in range(2):
            async with system.publisher() as socket:
                speaker = Conversation(socket)
                await speaker.of("ready")
                await send(speaker, AUDIO)
                await socket.send(END)
                await speaker.of("done")
                numbers += [m["utterance"] for m in speaker.all("caption") if m["final"]]
            system.gateway.sessions._timelines._ended.clear()  # as at another gateway
            await delete(system)
        assert numbers == sorted(set(numbers))


async def test_a_caption_that_is_decoded_while_its_room_is_deleted_stays_unseen() -> None:
    async with running(SCRIPT, delay=1.0) as system:
        async with system.publisher() as socket, system.viewer() as viewing:
            speaker, viewer = Conversation(socket), Conversation(viewing)
            await speaker.of("ready")
            await viewer.of("live")
            await send(speaker, AUDIO)
            await socket.send(END)
            async with asyncio.timeout(30):
                while not system.gateway.pending.count:  # noqa: ASYNC110 - told by no event
                    await asyncio.sleep(0.01)
            await delete(system)
            await viewer.of("deleted")
            await speaker.of("done")  # its finals came, and were empty
            await viewer.next(lambda message: message.get("state") == "ended")
        after = viewer.heard[viewer.heard.index(viewer.all("deleted")[0]) :]
        assert not [message for message in after if message["type"] == "caption"]
        assert SAID[:20].encode() not in await whole_log(system)


async def test_a_deletion_while_history_is_sent_leaves_out_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.rooms.history.BLOCK_BYTES", 1000)
    async with running(SCRIPT, working=False) as system:
        for utterance in range(40):
            await say(system, utterance=utterance, final=True, text=f"secret {utterance}")
        room = await system.gateway.hub.open(RoomId("hall"))
        viewer = system.gateway.viewer()
        room.join(viewer)
        replay = room.replay(viewer, await system.gateway.hub.bounds(room.id), None, None)
        assert b"secret" in room.left_of(replay.blocks[0], replay).frames
        await say(system, utterance=40, final=True, text="secret 40")
        await asyncio.wait_for(viewer.wake.wait(), 30)  # it waits in the viewer's queue
        await delete(system)
        assert not any(room.left_of(block, replay).events for block in replay.blocks)
        assert [encoded.event.type for encoded in viewer.take()] == ["deleted"]


def in_memory(wanted: str) -> set[str]:
    """The types of the objects that hold a text or bytes with what is wanted."""

    def holds(value: object) -> bool:
        if isinstance(value, str):
            return wanted in value and value != wanted
        return isinstance(value, bytes) and wanted.encode() in value

    return {type(held).__name__ for held in gc.get_objects() if any(map(holds, gc.get_referents(held)))}


async def test_nothing_of_it_is_left_in_memory() -> None:
    async with running(SCRIPT, working=False) as system:
        for utterance in range(3):
            await say(system, utterance=utterance, final=True, text=f"{WORD} {utterance}")
        await say(system, utterance=3, text=f"{WORD} still")
        assert WORD in (await get(system, "hall/transcript")).text
        gc.collect()
        assert "StoredEvent" in in_memory(f"{WORD} 1")
        await delete(system)
        gc.collect()
        assert not in_memory(f"{WORD} 1")
        assert not in_memory(f"{WORD} still")


async def test_two_deletions_at_once_are_both_answered() -> None:
    async with running(SCRIPT, working=False) as system:
        await say(system, final=True)
        both = await asyncio.gather(delete(system), delete(system))
        assert [response.status_code for response in both] == [200, 200]
        assert json.loads((await get(system, "hall/transcript")).text)["type"] == "error"
