"""Addresses: behind a reverse proxy under a path, and those where there is nothing."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import pytest
from playwright.async_api import Browser, expect

from captions.ports.engine import DecodeRequest, Hypothesis
from inference.engine.scripted import ScriptedEngine
from tests.browser.conftest import opened
from tests.browser.proxy import proxied
from tests.browser.scripted import Scripted
from tests.streamer.system import running
from tests.support import script_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCRIPT, _ = script_of(1)


class Deaf(ScriptedEngine):
    """Hears nothing: the microphone says what no script holds."""

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        return [Hypothesis(words=(), language="en") for _ in requests]


async def test_everything_works_behind_a_proxy_under_a_path(speaking: Browser) -> None:
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(running([], engine=Deaf([])))
        url, astray = await stack.enter_async_context(proxied(system.port))
        start = await opened(speaking, f"{url}/")
        await start.fill("#room", "hall")
        await start.click("#start")
        await expect(start.locator("#state")).to_have_text("Live")
        link = await start.locator("#link").get_attribute("href")
        assert link == f"{url}/r/hall"
        reader = await opened(speaking, f"{url}/")
        await reader.locator("#rooms a", has_text="hall").click()
        await expect(reader.locator("#state")).to_have_text("connected")
        assert reader.url == link
        await asyncio.sleep(2)
        await start.click("#stop")
        await expect(start.locator("#start")).to_be_visible()
        exported = await reader.locator("[data-format=txt]").get_attribute("href")
        assert exported == f"{url}/v1/rooms/hall/transcript?format=txt"
        await reader.locator(".brand").click()
        await expect(reader.locator("#speak")).to_be_visible()
        assert reader.url == f"{url}/"
        await reader.wait_for_load_state()
        await reader.fill("#reading", "hall")
        await reader.locator("#read button").click()
        await expect(reader.locator("#state")).to_have_text("connected")
        nowhere = await opened(speaking, f"{url}/nowhere/at/all")
        await nowhere.get_by_text("on the start page").click()
        await expect(nowhere.locator("#speak")).to_be_visible()
        for context in speaking.contexts:
            await context.close()
        assert [path for path in astray if path != "/favicon.ico"] == []


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/r/", 404, "There is nothing at /r/."),
        ("/nope", 404, "There is nothing at /nope."),
        ("/r/%C3%9Cn%C3%AFcode", 400, "a name has to be 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter"),
        ("/r/" + "x" * 80, 400, "a name has to be 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter"),
        ("/r/a%2Fb", 404, "There is nothing at /r/a/b."),
        ("/v1/rooms/nobody/transcript", 404, "nobody"),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_address_that_does_not_work_is_explained(
    browser: Browser, path: str, status: int, says: str, scheme: str
) -> None:
    async with running(SCRIPT) as system:
        page = await browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        answer = await page.goto(system.http + path)
        assert answer is not None
        assert answer.status == status
        await expect(page.locator(".lead")).to_contain_text(says)
        await expect(page.locator(".hint")).to_contain_text("Names are 1 to 64 of A-Z a-z 0-9 . _ -")
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in background[4:-1].split(",")[:3])
        assert (lightness < 200) == (scheme == "dark")
        await page.get_by_text("on the start page").click()
        await expect(page.locator("#speak")).to_be_visible()
        await page.close()
        async with httpx.AsyncClient(base_url=system.http) as http:
            body = (await http.get(path)).json()
        assert body["type"] == "error"


async def test_a_form_that_is_sent_before_its_script_came_goes_nowhere(browser: Browser, scripted: Scripted) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(scripted.http)
    await page.fill("#room", "hall")
    await page.click("#start")
    await page.fill("#reading", "hall")
    await page.locator("#read button").click()
    assert page.url.rstrip("/") == scripted.http
    await context.close()
