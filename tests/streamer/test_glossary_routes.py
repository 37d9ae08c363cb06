"""Glossaries over HTTP: in and out as JSON and as lines, versions, and what a speaker's captions make of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from captions.access import Principal
from captions.ports.audit import NO_AUDIT, Audit
from captions.records import AUDIO, AudioSegment, read_audio
from captions.track import RoomId
from streamer.word_frequencies import frequency_in
from tests.streamer.audited import Recording
from tests.streamer.speaking import AUDIO as SOUND
from tests.streamer.speaking import END, SCRIPT, send
from tests.streamer.system import Conversation, System, principal, running

pytestmark = pytest.mark.server

ROOM, ALL_ROOMS = "/rooms/hall/glossary", "/glossary"
KUBECTL = {"text": "kubectl", "sounds_like": ["cube control"], "weight": 2.0}
LINES = "# names\nAda Lovelace\nkubectl | cube control | 2\n"


@asynccontextmanager
async def client(
    tokens: dict[str, Principal] | None = None, audit: Audit = NO_AUDIT
) -> AsyncIterator[tuple[System, httpx.AsyncClient]]:
    async with (
        running(SCRIPT, working=False, tokens=tokens, audit=audit) as system,
        httpx.AsyncClient(base_url=f"{system.http}/v1") as http,
    ):
        yield system, http


@pytest.mark.parametrize("path", [ROOM, ALL_ROOMS])
async def test_terms_go_in_and_come_out_as_json_and_as_lines(path: str) -> None:
    async with client() as (_, http):
        empty = await http.get(path)
        assert (empty.status_code, empty.json()) == (200, {"terms": [], "left_out": [], "sources": {}})
        put = await http.put(path, json={"terms": [" Ada  Lovelace", KUBECTL, "Ada Lovelace", " "], "unknown": 1})
        assert (put.status_code, put.json()["terms"]) == (200, ["Ada Lovelace", KUBECTL])
        got = await http.get(path, params={"format": "txt"})
        assert got.headers["content-type"] == "text/plain; charset=utf-8"
        assert got.text == "Ada Lovelace\nkubectl | cube control | 2.0\n"
        assert got.headers["etag"] == put.headers["etag"] != empty.headers["etag"]
        again = await http.put(path, content=LINES, headers={"Content-Type": "text/plain; charset=utf-8"})
        assert (again.json(), again.headers["etag"]) == (put.json(), put.headers["etag"])
        deleted = await http.delete(path)
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert (await http.get(path)).headers["etag"] == deleted.headers["etag"] == empty.headers["etag"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"good\nkubectl | a | heavy\n", "line 2: the weight must be 0.1 to 10"),
        (b"\xff", "the text has to be in UTF-8"),
        ("\n".join(map(str, range(1001))).encode(), "line 1001: there are more than 1000 terms; remove some"),
    ],
)
async def test_of_lines_that_are_wrong_nothing_is_stored(content: bytes, told: str) -> None:
    async with client() as (_, http):
        await http.put(ROOM, json={"terms": ["pod"]})
        refused = await http.put(ROOM, content=content, headers={"Content-Type": "text/plain"})
        assert (refused.status_code, refused.json()["message"]) == (400, told)
        for wrong in ({"terms": ["x" * 51]}, {"terms": "pod"}, {"terms": [{"text": "a", "weight": 0}]}, {}):
            assert (await http.put(ROOM, json=wrong)).status_code == 400
        assert (await http.get(ROOM)).json()["terms"] == ["pod"]


async def test_two_editors_do_not_overwrite_each_other() -> None:
    async with client() as (_, http):
        version = (await http.get(ROOM)).headers["etag"]
        first = await http.put(ROOM, json={"terms": ["first"]}, headers={"If-Match": version})
        assert first.status_code == 200
        second = await http.put(ROOM, json={"terms": ["second"]}, headers={"If-Match": version})
        assert (second.status_code, second.json()["code"]) == (412, "changed")
        assert "read them again" in second.json()["message"]
        assert (await http.delete(ROOM, headers={"If-Match": version})).status_code == 412
        assert (await http.get(ROOM)).json()["terms"] == ["first"]
        several = f'W/"x", {first.headers["etag"]}'
        assert (await http.put(ROOM, json={"terms": ["second"]}, headers={"If-Match": several})).status_code == 200
        assert (await http.put(ROOM, json={"terms": ["third"]}, headers={"If-Match": "*"})).status_code == 200


async def test_it_is_said_which_terms_do_not_fit() -> None:
    longest = [{"text": f"term {n}", "sounds_like": ["x" * 50] * 3} for n in range(300)]
    async with client() as (_, http):
        left_out = (await http.put(ROOM, json={"terms": longest})).json()["left_out"]
        assert 100 < len(left_out) < 200
        assert left_out == [term["text"] for term in longest[-len(left_out) :]]


async def test_reading_and_changing_terms_is_audited() -> None:
    audit = Recording()
    tokens = {
        "m": principal("*", "manage", tenant="acme"),
        "p": principal("*", "publish", "view", tenant="acme"),
        "o": principal("*", "manage", "operate"),
    }
    async with client(tokens=tokens, audit=audit) as (_, http):

        async def ask(method: str, path: str, token: str, **headers: str) -> int:
            sent = {"Authorization": f"Bearer {token}"} | headers
            json = {"terms": ["a", "b"]} if method == "PUT" else None
            return (await http.request(method, path, json=json, headers=sent)).status_code

        for path in (ROOM, ALL_ROOMS):
            assert await ask("PUT", path, "m") == 200
            assert await ask("PUT", path, "m", **{"If-Match": '"x"'}) == 412
            assert await ask("GET", path, "m") == 200
            assert await ask("DELETE", path, "m") == 204
            assert await ask("GET", path, "p") == 403
        assert await ask("GET", f"{ALL_ROOMS}?tenant=acme", "o") == 200
    done = [
        ("glossary.changed", "ok"),
        ("glossary.changed", "changed"),
        ("glossary.read", "ok"),
        ("glossary.deleted", "ok"),
    ]
    assert audit.only("glossary.") == [*done, *done, ("glossary.read", "ok")]
    lines = [line for line in audit.lines if line["action"].startswith("glossary.")]
    assert [line["room"] for line in lines] == [RoomId("hall", "acme")] * 4 + [None] * 5
    assert (lines[0]["terms"], lines[-1]["of_tenant"]) == (2, "acme")
    assert audit.only("access.") == [("access.refused", "forbidden")] * 2


async def test_a_speaker_who_is_live_gets_the_terms_that_are_put() -> None:
    async with client() as (system, http), system.publisher(vocabulary="mine") as socket:
        talk = Conversation(socket)
        await talk.of("ready")
        await http.put(ALL_ROOMS, json={"terms": ["ours"]})
        await http.put(ROOM, json={"terms": [KUBECTL]})
        await send(talk, SOUND)
        await socket.send(END)
        async with asyncio.timeout(30):
            async for entry in system.log.read(AUDIO, 0, (await system.log.bounds(AUDIO, 0)).earliest):
                segment = read_audio(entry.record)
                if isinstance(segment, AudioSegment):
                    break
        assert segment.settings is not None
        assert [term.text for term in segment.settings.vocabulary] == ["mine", "kubectl", "ours"]


async def test_a_room_that_is_deleted_has_no_terms() -> None:
    async with client() as (_, http):
        await http.put(ROOM, json={"terms": ["pod"]})
        await http.put(ALL_ROOMS, json={"terms": ["ours"]})
        assert (await http.delete("/rooms/hall")).status_code == 200
        assert (await http.get(ROOM)).json()["terms"] == []
        assert (await http.get(ALL_ROOMS)).json()["terms"] == ["ours"]


async def test_terms_are_found_in_a_programme() -> None:
    programme = (
        "10:00 Opening Remarks, Dr. Miriam Oyelaran\n10:15 We run etcd and kubectl in production with OpenTelemetry"
    )
    async with client() as (_, http):
        found = await http.post("/glossary/proposal", json={"text": programme})
        assert found.json() == {"terms": ["Miriam Oyelaran", "etcd", "kubectl", "OpenTelemetry"]}
        german = {
            "text": "Wir sprechen über das Krankenhausinformationssystem und die Verordnung.",
            "language": "de-AT",
        }
        assert (await http.post("/glossary/proposal", json=german)).json()["terms"] == ["Krankenhausinformationssystem"]
        unknown = {"text": "Vi pratar om Kubernetes med GPUs.", "language": "sv"}
        assert (await http.post("/glossary/proposal", json=unknown)).json()["terms"] == ["GPUs"]


def test_the_lists_of_words_are_where_they_are_looked_for() -> None:
    for language, word in (("en", "lunch"), ("de", "hier"), ("fr", "bonjour"), ("es", "hola"), ("it", "ciao")):
        assert frequency_in(language)(word) > 1000
        assert frequency_in(language)("kubectl") == 0
    assert frequency_in("auto") is frequency_in("en-GB")
    assert frequency_in("sv")("kubectl") == 1
