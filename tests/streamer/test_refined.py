"""Captions of the second pass, as viewers, late viewers and exports get them."""

import json
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from captions.deletion import write_deletion
from captions.records import CAPTIONS
from captions.track import RoomId
from livecaptions_client import Caption, view
from tests.streamer.speaking import SCRIPT, say
from tests.streamer.system import Conversation, System, running

pytestmark = pytest.mark.server


async def refine(system: System, utterance: int, text: str, /, **fields: object) -> None:
    """Put a caption of the second pass on the log."""
    await say(
        system, utterance=utterance, text=text, start=utterance * 3.0, final=True,
        **{"pass_": "refined", "revision": 4, **fields},
    )  # fmt: skip


async def talk(system: System) -> None:
    """Five finals: the second pass changes the first two after all, and withdraws the fourth."""
    for number, text in enumerate(["the lock", "is the spine", "of it.", "Thank you.", "Next."]):
        await say(system, utterance=number, text=text, start=number * 3.0, final=True, revision=9)
    await refine(system, 0, "The log", model="base@d01c3014881c")
    await refine(system, 1, "is the spline")
    await refine(system, 1, "is a spline", revision=5)
    await refine(system, 3, "")
    for late in ("the lock", "the lo"):
        await say(system, utterance=0, text=late, start=0.0, final=True, revision=20)
    await refine(system, 0, "The lot", revision=3)
    await refine(system, 0, "The lots")


BEST = ["The log", "is a spline", "of it.", "Next."]


async def so_far(system: System, /, **query: object) -> list[dict[str, Any]]:
    """The captions that a viewer receives up to ``live``."""
    async with system.viewer(**query) as socket:
        conversation = Conversation(socket)
        await conversation.of("live")
    return [message for message in conversation.heard if message["type"] == "caption"]


def spoken(captions: list[dict[str, Any]]) -> list[str]:
    return [caption["text"] for caption in sorted(captions, key=lambda caption: caption["started_at"])]


async def applied(system: System) -> None:
    """Wait until the room has what is on the log."""
    await say(system, RoomId("after"), utterance=0, final=True)
    async with system.viewer("after") as socket:
        await Conversation(socket).next(lambda message: message["type"] == "caption")


async def test_a_late_viewer_gets_the_best_version_once_in_the_order_of_the_log() -> None:
    async with running(SCRIPT, working=False) as system:
        await talk(system)
        await applied(system)
        captions = await so_far(system)
        assert spoken(captions) == BEST
        assert [caption["text"] for caption in captions] == ["of it.", "Next.", "The log", "is a spline"]
        seqs = [caption["seq"] for caption in captions]
        assert seqs == sorted(set(seqs))
        assert [caption["pass"] for caption in captions] == ["live", "live", "refined", "refined"]
        assert captions[2]["model"] == "base@d01c3014881c"
        assert spoken(await so_far(system, history=2)) == ["The log", "is a spline"]


async def test_who_was_away_gets_what_changed_meanwhile_and_nothing_older() -> None:
    async with running(SCRIPT, working=False) as system:
        await talk(system)
        await applied(system)
        seqs = {caption["text"]: caption["seq"] for caption in await so_far(system)}
        last = seqs["Next."]
        assert [caption["text"] for caption in await so_far(system, after=last)] == ["The log", "is a spline", ""]
        assert [caption["text"] for caption in await so_far(system, after=seqs["The log"])] == ["is a spline", ""]
        async with (
            httpx.AsyncClient(base_url=system.http, timeout=30) as http,
            http.stream("GET", "/v1/rooms/hall/captions", headers={"Last-Event-ID": str(last)}) as stream,
        ):
            heard = []
            async for line in stream.aiter_lines():
                if line.startswith("event: live"):
                    break
                if line.startswith(("id: ", "data: ")):
                    heard.append(line.partition(": ")[2])
        assert [json.loads(line)["text"] for line in heard[1::2]] == ["The log", "is a spline", ""]
        assert [int(line) for line in heard[::2]] == [json.loads(line)["seq"] for line in heard[1::2]]


async def test_a_viewer_hears_of_each_new_version_once_and_of_no_late_one() -> None:
    async with running(SCRIPT, working=False) as system, system.viewer() as socket:
        conversation = Conversation(socket)
        await conversation.of("live")
        await talk(system)
        await say(system, utterance=9, text="the end", start=60.0, final=True)
        await conversation.next(lambda message: message.get("text") == "the end")
        changes = [(m["utterance"], m["text"]) for m in conversation.heard if m.get("pass") == "refined"]
        assert changes == [(0, "The log"), (1, "is the spline"), (1, "is a spline"), (3, "")]
        assert [m.get("text") for m in conversation.heard].count("the lock") == 1


async def test_exports_have_the_best_version_in_the_place_of_the_first() -> None:
    async with running(SCRIPT, working=False) as system, httpx.AsyncClient(base_url=system.http) as http:
        await talk(system)
        await applied(system)
        await so_far(system)

        async def transcript(kind: str, **query: int) -> httpx.Response:
            return await http.get("/v1/rooms/hall/transcript", params={"format": kind, **query})

        assert (await transcript("txt")).text.splitlines() == BEST
        captions = (await transcript("json")).json()["captions"]
        assert [caption["text"] for caption in captions] == BEST
        assert [caption["pass"] for caption in captions] == ["refined", "refined", "live", "live"]
        srt = (await transcript("srt")).text
        assert [cue.split("\n")[2] for cue in srt.strip().split("\n\n")] == BEST
        assert [line for line in (await transcript("vtt")).text.splitlines() if line in BEST] == BEST
        pages = [(await transcript("json", last=2)).json()["captions"]]
        while len(pages[-1]) == 2:
            before = min(caption["seq"] for caption in pages[-1])
            pages.append((await transcript("json", last=2, before=before)).json()["captions"])
        assert spoken([caption for page in pages for caption in page]) == BEST
        await refine(system, 4, "Next!", revision=7)
        await applied(system)
        assert (await transcript("txt")).text.splitlines() == [*BEST[:-1], "Next!"], "the one that was kept is old"


async def test_a_caption_that_was_withdrawn_may_come_back() -> None:
    async with running(SCRIPT, working=False) as system, httpx.AsyncClient(base_url=system.http) as http:
        await say(system, utterance=0, text="", final=True)
        await say(system, utterance=1, text="Next.", start=3.0, final=True)
        await refine(system, 0, "First.")
        await applied(system)
        assert spoken(await so_far(system)) == ["First.", "Next."]
        assert (await http.get("/v1/rooms/hall/transcript?format=txt")).text == "First.\nNext.\n"


async def test_the_second_pass_brings_nothing_back_that_was_deleted() -> None:
    async with running(SCRIPT, working=False) as system:
        await talk(system)
        room = RoomId("hall")
        await system.log.append(CAPTIONS, write_deletion(room, system.gateway.clock.wall(), [], {}))
        await refine(system, 2, "of them.", revision=12)
        await applied(system)
        assert await so_far(system) == []


async def test_the_client_package_tells_versions_apart() -> None:
    async with running(SCRIPT, working=False) as system:
        await talk(system)
        await refine(system, 2, "of them.", revision=1)
        newest: dict[tuple[str, int], Caption] = {}
        async with aclosing(view(system.http, "hall")) as events:
            async for event in events:
                if not isinstance(event, Caption):
                    continue
                key = (event.track, event.utterance)
                if key not in newest or event.version > newest[key].version:
                    newest[key] = event
                if event.text == "of them.":
                    break
        kept = sorted(newest.values(), key=lambda caption: caption.started_at)
        assert [caption.text for caption in kept if caption.text] == ["The log", "is a spline", "of them.", "Next."]
