"""``livecaptions rooms`` against a running server."""

import json
from pathlib import Path

import pytest

from tests.livecaptions.cli import livecaptions
from tests.streamer.speaking import say
from tests.streamer.system import Conversation, principal, running

pytestmark = pytest.mark.server


async def test_a_room_is_deleted_and_it_is_said_when_it_is_gone() -> None:
    tokens = {"secret": principal("*", "manage", "operate")}
    async with running([], working=False, tokens=tokens) as system:
        await say(system, final=True)
        code, out, err = await livecaptions("rooms", "delete", "hall", "--server", system.http, "--token", "secret")
        assert (code, err) == (0, "")
        assert out.splitlines()[0].startswith("hall: nobody can read what was said before 20")
        assert out.splitlines()[1:] == ["the bytes are gone"]
        again = await livecaptions("rooms", "delete", "hall", "--url", system.http, "--token", "secret", "--json")
        assert json.loads(again[1])["hidden"] is True
        elsewhere = ("rooms", "delete", "hall", "--tenant", "acme", "--server", system.http)
        code, _, err = await livecaptions(*elsewhere, "--token", "secret")
        assert (code, "nothing is known of room hall" in err) == (1, True)
        code, _, err = await livecaptions(*elsewhere)
        assert (code, "a token is required" in err) == (1, True)


async def test_live_rooms_are_listed() -> None:
    async with running([], working=False) as system, system.publisher(track="stage") as socket:
        await Conversation(socket).of("ready")
        assert await livecaptions("rooms", "list", "--server", system.http) == (0, "hall: stage\n", "")
        code, out, _ = await livecaptions("rooms", "list", "--server", system.http, "--json")
        assert (code, json.loads(out)[0]["tracks"][0]["track"]) == (0, "stage")


async def test_a_server_that_does_not_answer_is_named() -> None:
    code, _, err = await livecaptions("rooms", "list", "--server", "http://127.0.0.1:9")
    assert (code, "http://127.0.0.1:9 does not answer" in err) == (1, True)


async def test_a_rooms_terms_are_printed_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_text("# names\nAda Lovelace\nkubectl | cube control | 2\n")
    tokens = {"secret": principal("*", "manage", "operate")}
    async with running([], working=False, tokens=tokens) as system:
        where = ("--server", system.http, "--token", "secret")
        for named in (("hall", "--tenant", "acme"), ()):
            told = await livecaptions("rooms", "glossary", *named, "--set", str(file), *where)
            assert told == (0, "2 terms\n", "")
            printed = await livecaptions("rooms", "glossary", *named, *where)
            assert printed == (0, "Ada Lovelace\nkubectl | cube control | 2.0\n", "")
        acme = ("hall", "--tenant", "acme", *where)
        assert await livecaptions("rooms", "glossary", "--delete", *acme) == (0, "Deleted the 2 terms of hall.\n", "")
        assert await livecaptions("rooms", "glossary", *acme) == (0, "", "")
        code, out, _ = await livecaptions("rooms", "glossary", "--json", *where)
        assert (code, json.loads(out)["terms"][0]) == (0, "Ada Lovelace")
        deleted = await livecaptions("rooms", "glossary", "--delete", *where)
        assert deleted == (0, "Deleted the 2 terms of all rooms.\n", "")
        code, _, err = await livecaptions("rooms", "glossary", "hall", "--set", "x", "--delete", *where)
        assert (code, "leave one out" in err) == (2, True)


async def test_a_file_with_a_line_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    async with running([], working=False) as system:
        for content, problem in (
            (b"pod\n| sound\n", "terms.txt, line 2: the term is missing"),
            (b"\xff", "is not text"),
        ):
            file.write_bytes(content)
            code, _, err = await livecaptions("rooms", "glossary", "hall", "--set", str(file), "--url", system.http)
            assert (code, problem in err) == (2, True), err
        assert await livecaptions("rooms", "glossary", "hall", "--url", system.http) == (0, "", "")
        send = ("send", "-", "--room", "hall", "--url", system.http, "--vocabulary-file", str(file))
        file.write_text("".join(f"term {n}\n" for n in range(101)))
        code, _, err = await livecaptions(*send)
        assert (code, "rooms glossary hall --set FILE" in err) == (2, True), err
