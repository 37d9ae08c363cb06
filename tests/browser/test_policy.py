"""The pages with their security policy in Chromium: nothing violates it, and nothing else may be framed or told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Request, expect
from starlette.requests import Request as Received
from starlette.responses import HTMLResponse

from captions.errors import ShuttingDown, Unauthorized
from livecaptions.server import listen, serving
from tests.browser.conftest import opened
from tests.browser.foreign import page_elsewhere
from tests.browser.scripted import Scripted, caption, track, until
from tests.streamer.speaking import say
from tests.streamer.system import principal, running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WATCH = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`VIOLATION ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""


@asynccontextmanager
async def watched(browser: Browser) -> AsyncIterator[tuple[BrowserContext, list[str]]]:
    """A browser, and the errors and violations that its pages report."""
    reported: list[str] = []

    def logged(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            reported.append(f"{message.page.url if message.page else '?'}: {message.text}")

    context = await browser.new_context()
    await context.add_init_script(WATCH)
    context.on("console", logged)
    context.on("weberror", lambda error: reported.append(str(error.error)))
    yield context, reported
    await context.close()


async def test_the_watch_sees_a_violation(browser: Browser, scripted: Scripted) -> None:
    async with watched(browser) as (context, reported):
        page = await context.new_page()
        await page.goto(scripted.http)
        await page.evaluate("""() => {
          document.body.append(Object.assign(document.createElement("img"), { src: "https://evil.example/x.png" }));
          document.body.setAttribute("style", "color: red");
        }""")
        await until(lambda: sum("VIOLATION" in line for line in reported) == 2)


async def test_a_speaker_uses_the_start_page(speaking: Browser, scripted: Scripted) -> None:
    async with watched(speaking) as (context, reported):
        scripted.rooms = [{"room": "hall", "viewers": 2, "tracks": [{"track": "main", "speaker": "Ada"}]}]
        page = await context.new_page()
        await page.goto(scripted.http)
        await page.fill("#room", "no spaces please")
        await page.click("#start")
        await expect(page.locator("#problem")).to_be_visible()
        await page.fill("#room", "tower")
        await page.select_option("#language", "de")
        await page.click("#theme")
        await page.click("#start")
        await expect(page.locator("#state")).to_have_text("Live")
        [connection] = scripted.published
        await connection.socket.send_json(caption("hear me", stable=1))
        await connection.socket.send_json({"type": "warning", "code": "too_quiet", "message": "Speak up."})
        await expect(page.locator("#mine .volatile")).to_have_text("me")
        await page.click("#mute")
        await page.click("#mute")
        await page.click("#copy")
        await connection.socket.close(1011)
        await until(lambda: len(scripted.published) == 2)
        await expect(page.locator("#state")).to_have_text("Live")
        async with page.expect_popup() as popup:
            await page.locator("#link").click()
        await expect((await popup.value).locator("#state")).to_have_text("connected")
        await page.click("#stop")
        await expect(page.locator("#start")).to_be_focused()
        await page.locator("#rooms a").click()
        await expect(page.locator("#state")).to_have_text("connected")
        await page.go_back()
        await page.fill("#reading", "hall")
        await page.locator("#read button").click()
        await expect(page.locator("#state")).to_have_text("connected")
    assert reported == []


@pytest.mark.parametrize("query", ["", "?mode=subtitles", "?mode=transcript&token=t0"])
async def test_a_reader_uses_the_room_page(browser: Browser, scripted: Scripted, query: str) -> None:
    async with watched(browser) as (context, reported):
        scripted.history = [
            track("live", seq=1),
            *(caption(f"Said {n}.", utterance=n, seq=n + 1) for n in range(1, 60)),
        ]
        page = await context.new_page()
        await page.goto(f"{scripted.http}/r/hall{query}")
        await expect(page.locator("#state")).to_have_text("connected")
        await scripted.send(caption("and more words", utterance=70, stable=1))
        for button in ("[data-mode=subtitles]", "#larger", "#smaller", "[data-mode=transcript]", "#theme", "#full"):
            await page.click(f"button{button}")
        await page.evaluate("document.exitFullscreen()")
        await page.mouse.wheel(0, -900)
        await page.click("#jump")
        await page.locator(".menu summary").click()
        await page.keyboard.press("Escape")
        await page.click("[data-mode=subtitles]")
        await expect(page.locator(".line").last).to_contain_text("and more words")
        await scripted.drop_viewers()
        await until(lambda: len(scripted.views) == 2)
        await expect(page.locator("#state")).to_have_text("connected")
    assert reported == []


async def test_pages_that_refuse_violate_nothing(browser: Browser, scripted: Scripted) -> None:
    """The console reports the refused requests themselves."""
    async with watched(browser) as (context, reported):
        page = await context.new_page()
        for refusal in (Unauthorized("a token is needed"), ShuttingDown()):
            scripted.denial = refusal
            await page.goto(f"{scripted.http}/r/hall")
            wanted = "refused" if isinstance(refusal, Unauthorized) else "reconnecting…"
            await expect(page.locator("#state")).to_have_text(wanted)
        scripted.session = {"available": True, "subject": None}
        await page.goto(scripted.http)
        await expect(page.locator("#login")).to_be_visible()
        scripted.session = {"available": True, "subject": "oidc:ada@example.org"}
        await page.goto(f"{scripted.http}/r/hall")
        await expect(page.locator("#who")).to_have_text("ada@example.org")
    assert [line for line in reported if "VIOLATION" in line or "Content Security" in line] == []
    assert all("401" in line or "503" in line or "WebSocket connection" in line for line in reported), reported


async def test_problem_pages_violate_nothing(browser: Browser) -> None:
    async with running([], working=False) as system, watched(browser) as (context, reported):
        page = await context.new_page()
        for path in ("/nowhere", "/r/no%20name", "/login", "/login/callback?code=x", "/v1/rooms/hall/transcript"):
            await page.goto(f"{system.http}{path}")
            await expect(page.locator("h1")).to_be_visible()
            await page.click("#theme")
            await page.get_by_text("on the start page").click()
            await expect(page.locator("#speak")).to_be_visible()
        for path in ("/v1/rooms", "/openapi.json", "/static/client.js", "/static/icon.svg", "/r/hall"):
            await page.goto(f"{system.http}{path}")
    assert all("status of 40" in line for line in reported), reported


FRAME = """<!doctype html><iframe width="800" height="400" allow="fullscreen" src="{}"></iframe>"""


@pytest.mark.parametrize("token", ["", "&token=t0"])
async def test_the_overlay_is_shown_in_another_sites_frame(browser: Browser, token: str) -> None:
    """It is a page of the server: its requests are no other site's."""
    tokens = {"t0": principal("hall", "view")} if token else None
    async with (
        running([], working=False, tokens=tokens) as system,
        page_elsewhere(FRAME.format(f"{system.http}/r/hall?mode=subtitles{token}")) as url,
        watched(browser) as (context, reported),
    ):
        await say(system, utterance=1, final=True, text="Shown elsewhere.")
        page = await context.new_page()
        await page.goto(url)
        frame = page.frame_locator("iframe")
        await expect(frame.locator("#subtitles")).to_contain_text("Shown elsewhere.")
        await expect(frame.locator("#state")).to_have_text("connected")
        await expect(frame.locator("#account")).to_be_hidden()
        async with page.expect_popup() as popup:
            await frame.locator(".brand").click()
        await expect((await popup.value).locator("#speak")).to_be_visible()
    assert [line for line in reported if not line.startswith(f"{url}: Failed to load resource")] == []  # its favicon


@pytest.mark.parametrize(
    "path", ["/", "/r/hall", "/r/hall?mode=transcript", "/nowhere", "/login", "/v1/rooms", "/openapi.json"]
)
async def test_nothing_else_is_shown_in_another_sites_frame(browser: Browser, path: str) -> None:
    async with (
        running([], working=False) as system,
        page_elsewhere(FRAME.format(system.http + path)) as url,
        watched(browser) as (context, reported),
    ):
        page = await context.new_page()
        await page.goto(url)
        await until(lambda: any("frame-ancestors" in line for line in reported))
        inside = page.frames[1]
        assert system.http not in inside.url
        assert "Speak" not in await inside.content()


@pytest.mark.parametrize("path", ["/?token=SECRET", "/r/hall?token=SECRET", "/r/hall?mode=subtitles&token=SECRET"])
async def test_no_request_tells_the_address_with_the_token(browser: Browser, scripted: Scripted, path: str) -> None:
    """Neither a link to another site, nor the page's own requests."""
    received: list[Received] = []
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def take(request: Received) -> HTMLResponse:
        received.append(request)
        return HTMLResponse("<!doctype html><title>elsewhere</title>")

    with listen("127.0.0.1", 0) as sock:
        async with serving(app, sock), watched(browser) as (context, _):
            elsewhere = f"http://127.0.0.1:{sock.getsockname()[1]}"
            seen: list[Request] = []
            context.on("request", lambda sent: seen.append(sent))  # noqa: PLW0108 - playwright takes no method of a list
            for number, attributes in enumerate(({}, {"target": "_blank"}), 1):
                page = await opened(context, scripted.http + path)
                await page.evaluate(
                    """([attributes, url]) => {
                      const link = document.createElement("a");
                      for (const [name, value] of Object.entries(attributes)) link.setAttribute(name, value);
                      link.href = url;
                      document.body.prepend(link);
                      link.click();
                    }""",
                    [attributes, f"{elsewhere}/{number}"],
                )
                await until(lambda: any(request.url.path == f"/{number}" for request in received))  # noqa: B023 - at once
            told = [(await request.all_headers()).get("referer", "") for request in seen]
    assert len(told) > 10
    for request in received:
        assert "SECRET" not in request.headers.get("referer", "")
        assert "SECRET" not in str(request.url)
    assert "SECRET" not in "".join(told)
