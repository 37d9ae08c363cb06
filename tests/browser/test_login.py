"""Login at a real OpenID Connect provider, with the pages and a browser, as a person does it."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from auth.authenticator import TokenAuthenticator
from auth.oidc import OidcSettings, OpenIdConnect
from auth.room_tokens import RoomTokens
from captions.access import Right
from captions.track import RoomId
from livecaptions.clock import SystemClock
from livecaptions.processes import free_port
from tests.browser.conftest import opened
from tests.streamer.speaking import say
from tests.streamer.system import System, running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

USERS = [
    {"sub": "ada", "email": "ada@example.org", "email_verified": True},
    {"sub": "reader", "rooms": ["hall"], "rights": ["view"]},
    {"sub": "stranger"},
]


@contextmanager
def provider(port: int) -> Iterator[str]:
    """``oidc-provider-mock`` in a process of its own, with three users; its address."""
    users = [argument for user in USERS for argument in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *users]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, "the provider ended"
            try:
                httpx.get(f"{address}/.well-known/openid-configuration", trust_env=False).raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(free_port()) as address:
        yield address


@asynccontextmanager
async def served(issuer: str) -> AsyncIterator[System]:
    """A server that lets in who logs in at ``issuer``; Ada operates it."""
    clock = SystemClock()
    tokens = RoomTokens(lambda: "secret of this test", clock)
    client = OidcSettings(issuer=issuer, client_id="captions", client_secret="s", operators=("*@example.org",))
    login = OpenIdConnect(client, clock)
    authenticator = TokenAuthenticator(clock, rooms=tokens)
    async with running([], working=False, authenticator=authenticator, signer=tokens, login=login) as system:
        yield system


async def log_in(page: Page, user: str) -> None:
    await page.locator("#login").click()
    await page.get_by_role("button", name=user, exact=True).click()


async def test_an_operator_logs_in_speaks_reads_and_logs_out(speaking: Browser, issuer: str) -> None:
    async with served(issuer) as system:
        context = await speaking.new_context()
        page = await opened(context, f"{system.http}/")
        await expect(page.locator("#rooms")).to_have_text("Log in first, at the top of the page.")
        await expect(page.locator("#who")).to_be_hidden()
        await log_in(page, "ada")
        await expect(page.locator("#who")).to_have_text("ada@example.org")
        assert page.url == f"{system.http}/", "neither the code nor the state is left in the address"
        await expect(page.locator("#rooms")).to_contain_text("Nobody is speaking")
        cookies = await page.context.cookies()
        (cookie,) = (cookie for cookie in cookies if cookie["name"].startswith("livecaptions"))
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("livecaptions_session", True, "Lax")
        assert await page.evaluate("document.cookie") == ""

        await page.fill("#room", "hall")
        await page.click("#start")
        await expect(page.locator("#state")).to_have_text("Live")
        [held] = system.gateway.sessions.held
        assert held.session.track.room == RoomId("hall")

        reader = await opened(context, f"{system.http}/r/hall")
        await expect(reader.locator("#state")).to_have_text("connected")
        await expect(reader.locator("#who")).to_have_text("ada@example.org")
        await say(system, utterance=1, final=True, text="Said to those who may hear it.")
        await expect(reader.locator("#transcript")).to_contain_text("Said to those")
        async with page.expect_popup() as popup:
            await page.locator("#link").click()
        await expect((await popup.value).locator("#state")).to_have_text("connected")

        await page.click("#stop")
        await page.get_by_text("Stop waiting").click()
        await page.get_by_text("Log out").click()
        await expect(page.locator("#login")).to_be_visible()
        await expect(page.locator("#rooms")).to_have_text("Log in first, at the top of the page.")
        await page.click("#start")
        await expect(page.locator("#problem")).to_have_text("Log in first, at the top of the page.")
        await reader.reload()
        await expect(reader.locator("#waiting")).to_have_text("Log in first, at the top of the page.")
        await expect(reader.locator("#state")).to_have_text("refused")
        assert await reader.locator("#transcript").inner_text() == ""
        await page.context.close()


async def test_a_reader_returns_to_the_room_and_may_do_no_more(speaking: Browser, issuer: str) -> None:
    async with served(issuer) as system:
        page = await opened(speaking, f"{system.http}/r/hall")
        await expect(page.locator("#state")).to_have_text("refused")
        await log_in(page, "reader")
        await expect(page.locator("#state")).to_have_text("connected")
        assert page.url == f"{system.http}/r/hall"
        await expect(page.locator("#who")).to_have_text("reader")
        await page.goto(f"{system.http}/r/tower")
        await expect(page.locator("#waiting")).to_contain_text("not valid for room tower")
        await page.goto(f"{system.http}/")
        await page.fill("#room", "hall")
        await page.click("#start")
        await expect(page.locator("#problem")).to_contain_text("no right to publish")
        assert system.gateway.sessions.held == []
        await page.context.close()


@pytest.mark.parametrize(
    ("user", "says"),
    [("stranger", "The account stranger has no rights here"), ("Deny", "did not let you in, and says access_denied")],
)
async def test_who_is_not_let_in_is_told_why(browser: Browser, issuer: str, user: str, says: str) -> None:
    async with served(issuer) as system:
        page = await opened(browser, f"{system.http}/")
        await log_in(page, user)
        await expect(page.locator(".lead")).to_contain_text(says)
        await page.get_by_text("on the start page").click()
        await expect(page.locator("#login")).to_be_visible()
        assert "livecaptions_session" not in {cookie.get("name") for cookie in await page.context.cookies()}
        await page.context.close()


async def test_a_provider_that_is_down_is_explained(browser: Browser) -> None:
    port = free_port()
    async with served(f"http://127.0.0.1:{port}") as system:
        page = await opened(browser, f"{system.http}/")
        await page.locator("#login").click()
        await expect(page.locator("h1")).to_have_text("Nobody can log in now")
        await expect(page.locator(".lead")).to_contain_text("try again later")
        with provider(port):
            await page.get_by_text("on the start page").click()
            await log_in(page, "ada")
            await expect(page.locator("#who")).to_have_text("ada@example.org")
            assert Right.OPERATE in (await system.gateway.authenticator.authenticate(await session_of(page))).rights
        await page.context.close()


async def test_a_page_with_a_token_offers_no_login(browser: Browser, issuer: str) -> None:
    async with served(issuer) as system:
        signer = system.gateway.signer
        assert signer is not None
        page = await opened(browser, f"{system.http}/")
        await log_in(page, "reader")
        await expect(page.locator("#who")).to_have_text("reader")
        await page.goto(f"{system.http}/r/hall?token=wrong")
        await expect(page.locator("#state")).to_have_text("refused")
        await expect(page.locator("#account")).to_be_hidden()
        await page.context.close()


async def session_of(page: Page) -> str:
    (cookie,) = (cookie for cookie in await page.context.cookies() if cookie["name"] == "livecaptions_session")
    return cookie["value"]
