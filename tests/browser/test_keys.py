"""A key on the start page, and the link that a speaker shares, against a real server with a keys file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect

from auth.api_keys import ApiKeys
from auth.authenticator import TokenAuthenticator
from auth.keys_file import KeysFile
from auth.room_tokens import RoomTokens
from captions.access import Right
from captions.track import RoomId
from livecaptions.clock import SystemClock
from tests.browser.conftest import opened
from tests.streamer.speaking import say
from tests.streamer.system import System, running
from tests.support import script_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCRIPT, _ = script_of(40, words=4)


class Locked(NamedTuple):
    system: System
    http: str
    file: KeysFile
    key: str
    manager: str
    authenticator: TokenAuthenticator


@asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[Locked]:
    clock, file = SystemClock(), KeysFile(folder / "keys.json")
    rights = frozenset({Right.PUBLISH, Right.VIEW})
    _, key = file.create(int(clock.wall()), rooms=("hall",), rights=rights, tenant="acme")
    _, manager = file.create(1, rooms=("hall",), rights=frozenset({Right.MANAGE}), tenant="acme")
    keys = ApiKeys(file.path, clock)
    tokens = RoomTokens(lambda: keys.signing_secret, clock)
    authenticator = TokenAuthenticator(clock, keys=keys, rooms=tokens)
    async with running(SCRIPT, authenticator=authenticator, signer=tokens) as system:
        yield Locked(system, f"http://127.0.0.1:{system.port}", file, key, manager, authenticator)


async def test_a_key_opens_the_start_page_and_the_link_to_share_reads_only(speaking: Browser, tmp_path: Path) -> None:
    async with locked(tmp_path) as server:
        page = await opened(speaking, f"{server.http}/")
        await expect(page.locator("#locked")).to_be_visible()
        await expect(page.locator("#key-problem")).to_be_hidden()
        await page.fill("#key", "lck_nobodys_key")
        await page.click("#unlock button")
        await expect(page.locator("#key-problem")).to_contain_text("unknown")
        await page.fill("#key", server.key)
        await page.click("#unlock button")
        await expect(page.locator("#locked")).to_be_hidden()
        assert server.key not in page.url
        kept = await page.evaluate("sessionStorage.getItem('key')")
        assert kept.startswith("lct_"), "a token that expires, and not the key"
        await page.fill("#room", "hall")
        await page.click("#start")
        await expect(page.locator("#state")).to_have_text("Live")
        await expect(page.locator("#shared")).to_contain_text("can read this room, and nothing else, until")
        link = await page.locator("#link").get_attribute("href")
        assert link is not None
        assert server.key not in link
        (token,) = parse_qs(urlsplit(link).query)["token"]
        principal = await server.authenticator.authenticate(token)
        assert (principal.rooms, principal.rights, principal.tenant) == (("hall",), frozenset({Right.VIEW}), "acme")
        await page.click("#stop")
        reader = await opened(speaking, link)
        await say(server.system, RoomId("hall", "acme"), utterance=9, final=True, text="Said to whom it was shared.")
        await say(server.system, RoomId("hall"), utterance=9, final=True, text="Said in the hall of nobody.")
        await expect(reader.locator("#transcript")).to_contain_text("Said to whom it was shared.")
        await expect(reader.locator("#transcript")).not_to_contain_text("nobody")
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {server.manager}"}) as http:
            assert (await http.delete(f"{server.http}/v1/rooms/hall")).status_code in {200, 202}
        await expect(reader.locator("#transcript")).to_have_text("What was said so far was deleted.")
        server.file.revoke(server.key, 1)
        await asyncio.sleep(1.1)  # the file is looked at once a second
        server.system.gateway.clients.disconnect_revoked()
        await expect(reader.locator("#ended")).to_contain_text("The captions stop here. This key has been revoked")
        for context in speaking.contexts:
            await context.close()


async def test_the_tab_keeps_the_key_for_its_room_pages_and_others_are_told_where_to_enter_it(
    browser: Browser, tmp_path: Path
) -> None:
    async with locked(tmp_path) as server:
        page = await opened(browser, f"{server.http}/")
        await page.fill("#key", server.key)
        await page.click("#unlock button")
        await expect(page.locator("#locked")).to_be_hidden()
        await page.fill("#reading", "hall")
        await page.click("#read button")
        await page.wait_for_url("**/r/hall")
        await expect(page.locator("#waiting")).not_to_contain_text("key")
        other = await opened(browser, f"{server.http}/r/hall")
        await expect(other.locator("#waiting")).to_contain_text("Enter it on the start page")
        for context in browser.contexts:
            await context.close()
