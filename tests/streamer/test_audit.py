"""What clients do gets into the audit log: by whom, in which room, and how it ended."""

import httpx
import pytest

from captions.track import RoomId
from tests.streamer.audited import Recording
from tests.streamer.speaking import END, SCRIPT, refused, say
from tests.streamer.system import Conversation, System, principal, running

pytestmark = pytest.mark.server

TOKENS = {
    "a": principal("hall", "publish", "view", "manage", tenant="acme"),
    "b": principal("side", "view", tenant="acme"),
}
HALL = RoomId("hall", "acme")


async def request(system: System, method: str, path: str, token: str | None = None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{system.http}/v1") as http:
        return (await http.request(method, path, headers=headers)).status_code


async def test_a_session_from_its_beginning_to_its_end() -> None:
    audit = Recording()
    async with running(SCRIPT, tokens=TOKENS, audit=audit) as system, system.publisher(token="a") as socket:
        ready = await (speaker := Conversation(socket)).of("ready")
        await socket.send(END)
        await speaker.rest()
    connected, left = [line for line in audit.lines if line["action"].startswith("publish.")]
    assert (connected["action"], connected["outcome"]) == ("publish.connected", "ok")
    assert (left["action"], left["outcome"]) == ("publish.left", "done")
    for line in (connected, left):
        assert (line["principal"], line["room"], line["session"]) == (TOKENS["a"], HALL, ready["session"])
        assert (line["track"], line["address"]) == ("main", "127.0.0.1")


async def test_viewers_on_both_transports() -> None:
    audit = Recording()
    async with running(SCRIPT, tokens=TOKENS, working=False, audit=audit) as system:
        async with system.viewer(token="a") as socket:
            await Conversation(socket).of("live")
        async with httpx.AsyncClient() as http:
            url = f"{system.http}/v1/rooms/hall/captions?token=a"
            async with http.stream("GET", url) as events:
                await anext(aiter(events.aiter_text()))
        await system.gateway.close()
    assert audit.only("view.") == [("view.connected", "ok"), ("view.left", "left")] * 2


async def test_transcripts_and_deletions() -> None:
    audit = Recording()
    async with running(SCRIPT, tokens=TOKENS, working=False, audit=audit) as system:
        assert await request(system, "DELETE", "/rooms/hall", "a") == 404
        await say(system, HALL, final=True)
        assert await request(system, "GET", "/rooms/hall/transcript?format=srt", "a") == 200
        assert await request(system, "DELETE", "/rooms/hall", "a") == 200
    assert audit.only("room.", "transcript.") == [
        ("room.deleted", "not_found"),
        ("transcript.exported", "ok"),
        ("room.deleted", "ok"),
    ]
    assert {(line["principal"].tenant, line["room"]) for line in audit.lines} == {("acme", HALL)}


async def test_who_is_refused() -> None:
    audit = Recording()
    async with running(SCRIPT, tokens=TOKENS, working=False, audit=audit) as system:
        assert await request(system, "GET", "/rooms/hall/transcript") == 401
        assert await request(system, "GET", "/rooms/hall/transcript", "b") == 403
        assert await request(system, "DELETE", "/rooms/hall", "b") == 403
        assert (await refused(system, token="wrong"))[0] == 401
    assert audit.only("access.") == [
        ("access.refused", outcome) for outcome in ("unauthorized", "forbidden", "forbidden", "unauthorized")
    ]
    assert [line["principal"] for line in audit.lines] == [None, TOKENS["b"], TOKENS["b"], None]
    assert not any("wrong" in str(line) for line in audit.lines)
