"""Viewing, as docs/protocol.md describes it."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.testclient import TestClient
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from captions.errors import LogError
from captions.messages import TrackMessage
from captions.ports.log import Entry
from captions.records import CAPTIONS, write_room_event
from captions.track import RoomId
from tests.streamer.speaking import AUDIO, END, SCRIPT, say, send
from tests.streamer.system import Conversation, Message, System, principal, running
from transport.memory import MemoryLog, TopicSettings

pytestmark = pytest.mark.server


async def talked(system: System) -> None:
    """A room with three finals and a live partial."""
    live = TrackMessage(room="hall", track="main", state="live")
    await system.log.append(CAPTIONS, write_room_event(RoomId("hall"), live))
    for utterance in range(3):
        await say(
            system, utterance=utterance, revision=9, final=True, text=f"number {utterance}", start=utterance * 3.0
        )
    await say(system, utterance=3, revision=2, text="and now")
    room = await system.gateway.hub.open(RoomId("hall"))
    async with asyncio.timeout(30):
        while (last := room.state.last_utterance("main")) is None or last.number < 3:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)


async def read_up_to_now(system: System) -> None:
    """Wait until the rooms have applied all records of the log."""
    end = (await system.log.bounds(CAPTIONS, 0)).end
    await system.gateway.hub.open(RoomId("hall"))
    async with asyncio.timeout(30):
        while max(room.history.latest for room in system.gateway.hub.rooms) < end - 1:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)


async def past(system: System, **query: object) -> list[Message]:
    """The messages that a viewer receives up to ``live``."""
    async with system.viewer(str(query.pop("room", "hall")), **query) as socket:
        view = Conversation(socket)
        await view.of("live")
    return view.heard


def texts(heard: list[Message]) -> list[object]:
    return [m["text"] for m in heard if m["type"] == "caption"]


async def test_a_late_viewer_gets_the_room_so_far_in_order_and_then_live() -> None:
    async with running(SCRIPT) as system:
        await talked(system)
        async with system.viewer() as socket:
            view = Conversation(socket)
            await view.of("live")
            assert [m["type"] for m in view.heard] == ["track", "caption", "caption", "caption", "caption", "live"]
            assert texts(view.heard) == ["number 0", "number 1", "number 2", "and now"]
            seqs = [m["seq"] for m in view.heard if "seq" in m]
            assert seqs == sorted(seqs)
            assert len(seqs) == 4
            await say(system, utterance=3, revision=3, text="and now what")
            await view.of("caption")
            await say(system, utterance=3, revision=2, text="too late")
            await say(system, utterance=3, revision=4, text="and now what?", final=True)
            final = await view.next(lambda m: m.get("final") is True)
    assert texts(view.heard)[-2:] == ["and now what", "and now what?"]
    assert final["seq"] > max(seqs)


async def test_a_viewer_may_come_before_anybody_speaks() -> None:
    async with running(SCRIPT) as system, system.viewer() as socket:
        view = Conversation(socket)
        assert (await view.next())["type"] == "live"
        async with system.publisher() as speaking:
            await Conversation(speaking).next()
            assert (await view.next())["state"] == "live"
            await send(Conversation(speaking), AUDIO)
            await speaking.send(END)
            assert (await view.next(lambda m: m.get("final") is True))["text"]
            assert (await view.next(lambda m: m.get("state") == "ended"))["track"] == "main"


async def test_after_brings_what_is_later_and_nothing_else() -> None:
    async with running(SCRIPT) as system:
        await talked(system)
        seqs = [m["seq"] for m in await past(system) if "seq" in m]
        assert texts(await past(system, after=seqs[1])) == ["number 1", "number 2", "and now"]
        assert texts(await past(system, after=seqs[-1])) == ["and now"]
        everything = await past(system, after=0)
        assert texts(everything) == ["number 0", "number 1", "number 2", "and now"]
        assert everything[0]["type"] != "gap"


async def test_as_much_history_as_is_wanted_comes_first() -> None:
    async with running(SCRIPT) as system:
        await talked(system)
        await say(system, utterance=4, revision=1, text="and")
        await say(system, utterance=3, revision=9, final=True, text="")
        await read_up_to_now(system)
        every = await past(system)
        assert await past(system, history="all") == every
        assert texts(await past(system, history=2)) == ["number 1", "number 2", "and"]
        assert texts(await past(system, history="none")) == ["and"]
        assert await past(system, history=0) == await past(system, history="none")
        for history in ("none", "1", "2", "all"):
            assert (await past(system, history=history))[0]["type"] == "track", "who is there is always told"
        seqs = [m["seq"] for m in every if "seq" in m]
        resumed = await past(system, history=1, after=seqs[1])
        assert texts(resumed) == ["number 1", "number 2", "", "and"], "who resumes misses nothing"
        async with (
            httpx.AsyncClient(base_url=system.http) as http,
            http.stream("GET", "/v1/rooms/hall/captions?history=1") as stream,
        ):
            told = await events(stream.aiter_lines(), 4)
        assert texts([json.loads(event["data"]) for event in told]) == ["number 2", "and"]


async def test_hours_of_history_come_whole_to_everybody_who_comes_at_once_and_live_goes_on() -> None:
    count, readers = 1500, 20
    async with running(SCRIPT, working=False) as system:
        for utterance in range(count):
            await say(system, utterance=utterance, final=True, text=f"number {utterance} " + "word " * 12)
        sockets = await asyncio.gather(*(system.viewer() for _ in range(readers)))
        views = [Conversation(socket) for socket in sockets]
        arriving = asyncio.gather(*(view.of("live", 60) for view in views))
        for utterance in range(count, count + 5):
            await say(system, utterance=utterance, final=True, text=f"number {utterance}")
            await asyncio.sleep(0.01)
        await arriving
        await asyncio.gather(
            *(
                view.next(lambda m: m.get("utterance") == count + 4)
                for view in views
                if view.heard[-2].get("utterance") != count + 4
            )
        )
        for view in views:
            assert [m["utterance"] for m in view.heard if m["type"] == "caption"] == [*range(count + 5)]
        await asyncio.gather(*(socket.close() for socket in sockets))


async def test_what_the_log_no_longer_retains_is_pruned_and_told_as_a_gap() -> None:
    async with running(SCRIPT, captions=TopicSettings(retention_bytes=10_000)) as system:
        await talked(system)
        for utterance in range(10, 40):
            await say(system, utterance=utterance, final=True, text=f"number {utterance}")
        await read_up_to_now(system)
        earliest = (await system.log.bounds(CAPTIONS, 0)).earliest
        room = system.gateway.hub.room(RoomId("hall"))
        held = len(await past(system))
        await system.gateway.hub.forget()
        assert min(m["seq"] for m in await past(system) if m["type"] == "caption" and "seq" in m) == earliest
        assert len(await past(system)) < held
        assert len(room.state.finals("main")) == len(room.history.finals(before=None, last=None))
        assert (await past(system))[0]["type"] == "track", "a track that goes on is still told"
        assert (await past(system, after=earliest - 5))[0] == {"type": "gap", "from": earliest - 5, "to": earliest - 1}


async def test_rooms_together_hold_so_many_bytes_and_the_oldest_go_first() -> None:
    async with running(SCRIPT, history_bytes=300_000) as system:
        await say(system, room="first", utterance=0, final=True, text="gone")
        for utterance in range(600):
            await say(system, utterance=utterance, final=True, text=f"number {utterance} " + "word " * 12)
        await say(system, room="last", utterance=0, final=True, text="kept")
        await read_up_to_now(system)
        await system.gateway.hub.forget()
        rooms = system.gateway.hub.rooms
        assert 100_000 < sum(room.history.weight for room in rooms) <= 300_000
        assert texts(await past(system, room="first")) == []
        assert texts(await past(system, room="last")) == ["kept"]
        heard = await past(system)
        assert str(texts(heard)[-1]).startswith("number 599")
        first = next(m["seq"] for m in heard if "seq" in m)
        resumed = await past(system, after=first - 10)
        assert resumed[0] == {"type": "gap", "from": first - 10, "to": first - 1}
        assert resumed[1:] == heard


async def test_what_is_no_longer_retained_is_a_gap_and_never_silence() -> None:
    async with running(SCRIPT, captions=TopicSettings(retention_bytes=3000)) as system:
        await say(system, utterance=0, final=True, text="gone")
        first = (await system.log.bounds(CAPTIONS, 0)).earliest
        for utterance in range(1, 30):
            await say(system, utterance=utterance, final=True, text=f"number {utterance}")
        bounds = await system.log.bounds(CAPTIONS, 0)
        assert bounds.earliest > first
        heard = await past(system, after=first)
        assert heard[0] == {"type": "gap", "from": first, "to": bounds.earliest - 1}
        assert texts(heard)[-1] == "number 29"
        whole = {"type": "gap", "from": bounds.earliest - 1, "to": bounds.earliest - 1}
        assert (await past(system, after=bounds.end + 1000))[0] == whole
        assert (await past(system, after=5))[0]["type"] == "gap"
        assert (await past(system, after=bounds.end - 3))[0]["type"] == "caption"


async def test_tracks_and_partials_can_be_left_out() -> None:
    async with running(SCRIPT) as system:
        await talked(system)
        await say(system, track="other", utterance=0, final=True, text="from the side")
        await asyncio.sleep(0.05)
        assert texts(await past(system, partials="false")) == ["number 0", "number 1", "number 2", "from the side"]
        assert texts(await past(system, track="other")) == ["from the side"]
        assert len(texts(await past(system, track="other&track=main"))) == 5


async def test_an_empty_final_withdraws_and_late_viewers_never_hear_of_it() -> None:
    async with running(SCRIPT) as system:
        await talked(system)
        async with system.viewer() as socket:
            view = Conversation(socket)
            await view.of("live")
            await say(system, utterance=3, revision=5, text="", final=True)
            withdrawn = await view.next()
            assert (withdrawn["text"], withdrawn["final"]) == ("", True)
        assert texts(await past(system)) == ["number 0", "number 1", "number 2"]
        assert "" in texts(await past(system, after=withdrawn["seq"] - 1))


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"after": -1},
        {"after": 2**63},
        {"track": "no%20way"},
        {"partials": "perhaps"},
        {"history": "some"},
        {"history": -1},
    ],
)
async def test_a_wrong_parameter_is_refused(query: dict[str, object]) -> None:
    async with running(SCRIPT) as system, httpx.AsyncClient(base_url=system.http) as http:
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await http.get(f"/v1/rooms/hall/captions?{parameters}")
        assert answer.status_code == 400
        assert answer.json()["code"] == "bad_request"
        assert next(iter(query)) in answer.json()["message"]


async def test_a_viewer_that_reads_nothing_is_let_go_and_the_others_are_not() -> None:
    async with running(SCRIPT, viewer_backlog=50, send_timeout=0.5) as system:
        async with system.viewer() as lazy, system.viewer() as keen:
            view = Conversation(keen)
            await view.of("live")
            lazy.transport.pause_reading()
            long = "word" * 10_000  # one: what counts are bytes

            async def flood() -> None:
                for utterance in range(400):
                    await say(system, utterance=utterance, final=True, text=long, start=float(utterance))
                    await asyncio.sleep(0)

            flooding = asyncio.create_task(flood())
            for _ in range(400):
                await view.next(lambda m: m.get("final") is True)
            await flooding
            lazy.transport.resume_reading()
            code, heard = await Conversation(lazy).rest()
        assert code in {1006, 1008}
        assert len([m for m in heard if m["type"] == "caption"]) < 400
        if code == 1008:
            assert heard[-1]["code"] == "slow_consumer"


async def test_a_reader_of_an_event_stream_that_takes_nothing_is_let_go() -> None:
    async with running(SCRIPT, viewer_backlog=50, send_timeout=0.3) as system:
        _, lazy = await asyncio.open_connection("127.0.0.1", system.port)
        lazy.write(b"GET /v1/rooms/hall/captions HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(30):
            while not system.gateway.viewers:  # noqa: ASYNC110 - told by no event
                await asyncio.sleep(0.01)
            lazy.transport.pause_reading()  # type: ignore[attr-defined] # the transport of a socket has this method
            utterance = 0
            while system.gateway.viewers:
                await say(system, utterance=utterance, final=True, text="word" * 5000, start=float(utterance))
                utterance += 1
                await asyncio.sleep(0)
        lazy.transport.abort()
        assert (await past(system))[-1]["type"] == "live"


async def test_readers_of_a_log_that_fails_are_let_go_and_the_next_ones_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = MemoryLog.read

    async def failing(log: MemoryLog, topic: str, partition: int, start: int) -> AsyncIterator[Entry]:
        async for entry in read(log, topic, partition, start):
            if entry.topic == CAPTIONS:
                raise LogError("the disk is gone")
            yield entry

    async with running(SCRIPT, working=False) as system:
        with monkeypatch.context() as broken:
            broken.setattr(MemoryLog, "read", failing)
            async with system.viewer() as socket:
                view = Conversation(socket)
                await view.of("live")
                await say(system, utterance=0, final=True, text="unread")
                code, heard = await view.rest()
            assert (heard[-1]["code"], code) == ("internal", 1011)
            with pytest.raises(InvalidStatus) as refusal:
                await system.viewer()
            assert refusal.value.response.status_code == 500
            assert json.loads(refusal.value.response.body or b"")["code"] == "internal"
            async with httpx.AsyncClient(base_url=system.http) as http:
                events = await http.get("/v1/rooms/hall/captions")
                answer = await http.get("/v1/rooms/hall/transcript")
            assert (events.status_code, events.content) == (500, refusal.value.response.body)
            assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert texts(await past(system)) == ["unread"]


async def test_a_socket_at_an_unknown_path_is_not_found() -> None:
    async with running(SCRIPT) as system:
        with pytest.raises(InvalidStatus) as refusal:
            await connect(f"ws://127.0.0.1:{system.port}/v1/nowhere")
    assert refusal.value.response.status_code == 404
    assert json.loads(refusal.value.response.body or b"")["code"] == "not_found"


async def events(lines: AsyncIterator[str], count: int) -> list[dict[str, str]]:
    """The next ``count`` events of an event stream."""
    found: list[dict[str, str]] = []
    event: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            found.append(event)
            event = {}
            if len(found) == count:
                break
    return found


async def test_server_sent_events_are_the_same_content() -> None:
    async with running(SCRIPT) as system, httpx.AsyncClient(base_url=system.http, timeout=10) as http:
        await talked(system)
        same = await past(system)
        async with http.stream("GET", "/v1/rooms/hall/captions", headers={"Origin": system.http}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            told = await events(stream.aiter_lines(), len(same))
        assert [json.loads(event["data"]) for event in told] == same
        assert [event["event"] for event in told] == [m["type"] for m in same]
        assert [int(event["id"]) for event in told if "id" in event] == [m["seq"] for m in same if "seq" in m]
        last = next(event["id"] for event in told if "number 1" in event["data"])
        async with http.stream("GET", "/v1/rooms/hall/captions?after=0", headers={"Last-Event-ID": last}) as stream:
            resumed = await events(stream.aiter_lines(), 3)
        assert texts([json.loads(event["data"]) for event in resumed]) == ["number 2", "and now"]


async def test_rooms_and_transcripts_can_be_asked_for() -> None:
    async with running(SCRIPT) as system, httpx.AsyncClient(base_url=system.http) as http:
        assert (await http.get("/v1/rooms")).json() == []
        assert (await http.get("/v1/rooms/hall/transcript")).status_code == 404
        await talked(system)
        async with system.publisher(track="stage", speaker="Ada") as socket, system.viewer() as watching:
            await Conversation(watching).of("live")
            talk = Conversation(socket)
            await talk.next()
            await send(talk, AUDIO[:32_000])
            while (await talk.of("ack"))["offset"] < 20_000:
                pass
            (room,) = (await http.get("/v1/rooms")).json()
        assert (room["room"], room["viewers"]) == ("hall", 1)
        assert room["seconds"] == pytest.approx(1.0, abs=0.1)
        assert room["tracks"][0] == {**room["tracks"][0], "track": "stage", "speaker": "Ada", "state": "live"}
        answers = {
            form: await http.get(f"/v1/rooms/hall/transcript?format={form}") for form in ("json", "txt", "srt", "vtt")
        }
        assert answers["txt"].text.splitlines()[:3] == ["number 0", "number 1", "number 2"]
        assert answers["srt"].text.startswith("1\n00:00:00,000 -->")
        assert answers["vtt"].headers["content-type"].startswith("text/vtt")
        assert len(answers["json"].json()["captions"]) >= 3
        wrong = await http.get("/v1/rooms/hall/transcript?format=pdf")
        assert (wrong.status_code, wrong.json()["code"]) == (400, "bad_request")


async def test_a_transcript_can_be_read_in_pages_from_its_end() -> None:
    async with running(SCRIPT, working=False) as system, httpx.AsyncClient(base_url=system.http) as http:
        for utterance in range(7):
            await say(system, utterance=utterance, final=True, text=f"number {utterance}", start=utterance * 3.0)
        pages: list[list[str]] = []
        before = ""
        while True:
            answer = await http.get(f"/v1/rooms/hall/transcript?last=3{before}")
            captions = answer.json()["captions"]
            if not captions:
                break
            pages.append([caption["text"] for caption in captions])
            before = f"&before={min(caption['seq'] for caption in captions)}"
        assert pages == [[f"number {n}" for n in page] for page in ((4, 5, 6), (1, 2, 3), (0,))]
        assert (await http.get("/v1/rooms/hall/transcript?last=2&format=txt")).text == "number 5\nnumber 6\n"
        for wrong in ("last=0", "last=x", "before=-1"):
            answer = await http.get(f"/v1/rooms/hall/transcript?{wrong}")
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
            assert wrong.split("=")[0] in answer.json()["message"]


async def test_pages_and_errors_answer() -> None:
    async with running(SCRIPT) as system, httpx.AsyncClient(base_url=system.http) as http:
        for page in ("/", "/r/hall"):
            answer = await http.get(page)
            assert answer.headers["content-type"].startswith("text/html")
            assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert (await http.get("/nowhere")).json()["code"] == "not_found"
        posted = await http.post("/v1/rooms")
        assert (posted.status_code, posted.json()["code"]) == (405, "bad_request")
        unsocketed = await http.get("/v1/rooms/hall/publish")
        assert (unsocketed.status_code, unsocketed.json()["code"]) == (400, "bad_request")
        assert "is a WebSocket" in unsocketed.json()["message"]
        assert system.gateway.not_ready() == []
        await system.gateway.drain(1, elsewhere=False)
        assert system.gateway.not_ready() == ["stopping"]
        answer = await http.get("/v1/rooms/hall/captions")
        assert (answer.status_code, answer.json()["code"]) == (503, "shutting_down")


async def test_tokens_decide_who_may_read_what() -> None:
    tokens = {"read": principal("hall*", "view"), "speak": principal("*", "publish")}
    async with running(SCRIPT, tokens=tokens) as system, httpx.AsyncClient(base_url=system.http) as http:
        assert (await http.get("/v1/rooms/hall/transcript")).status_code == 401
        bearer = {"Authorization": "Bearer read"}
        assert (await http.get("/v1/rooms/hall/transcript", headers=bearer)).status_code == 404
        assert (await http.get("/v1/rooms/other/transcript", headers=bearer)).status_code == 403
        assert (await http.get("/v1/rooms/hall/transcript?token=speak")).json()["code"] == "forbidden"
        assert (await http.get("/v1/rooms")).status_code == 401
        assert (await past(system, token="read"))[-1]["type"] == "live"


async def test_a_server_that_would_pass_over_our_frames_is_found_out_at_once() -> None:
    async with running(SCRIPT) as system:
        with (
            pytest.raises(RuntimeError, match="lacks the ASGI extension"),
            TestClient(system.app).websocket_connect("/v1/rooms/hall/captions"),
        ):
            pass


async def test_more_viewers_than_the_limit_are_told_to_come_back() -> None:
    async with running(SCRIPT, max_viewers=1) as system, system.viewer() as socket:
        await Conversation(socket).next()
        async with httpx.AsyncClient(base_url=system.http) as http:
            answer = await http.get("/v1/rooms/hall/captions")
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "too_many", "10")


async def test_hundreds_of_viewers_all_hear_the_same() -> None:
    async with running(SCRIPT) as system:
        sockets = [await system.viewer() for _ in range(200)]
        views = [Conversation(socket) for socket in sockets]
        await asyncio.gather(*(view.of("live") for view in views))
        for utterance in range(5):
            await say(system, utterance=utterance, final=True, text=f"number {utterance}")
        await asyncio.gather(*(view.next(lambda m: m.get("text") == "number 4", 20) for view in views))
        assert {tuple(texts(view.heard)) for view in views} == {tuple(f"number {n}" for n in range(5))}
        await asyncio.gather(*(socket.close() for socket in sockets))
