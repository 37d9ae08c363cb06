"""Chromium, a microphone that speaks the talk, and a server that follows a script."""

import shutil
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright, expect

from livecaptions.talk import talk_path
from tests.browser.scripted import Scripted
from tests.browser.scripted import scripted as scripted_server
from tests.e2e.conftest import pcm16

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--disable-background-networking",
    "--no-first-run", "--disable-component-update", "--disable-sync", "--disable-quic",
]  # fmt: skip
ALLOWED = "--use-fake-ui-for-media-stream"
SECONDS = 20

expect.set_options(timeout=30_000)  # what is expected comes; how soon depends on what else the machine does


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """Chromium with its microphone allowed, unless ``flags`` deny it."""
    allowed = [] if "--deny-permission-prompts" in flags else [ALLOWED]
    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *allowed, *flags])
        yield browser
        await browser.close()


_failures: list[str] = []


async def opened(browser: Browser | BrowserContext, url: str, *, width: int = 1280, height: int = 800) -> Page:
    """A page that fails the test when a script of it does, or breaks the page's security policy.

    It has a context of its own, unless one is given.
    """
    if isinstance(browser, Browser):
        page = await browser.new_page(viewport={"width": width, "height": height})
    else:
        page = await browser.new_page()

    def failed(error: Error) -> None:
        _failures.append(f"{url}: {error}")

    def logged(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            _failures.append(f"{url}: {message.text}")

    page.on("pageerror", failed)
    page.on("console", logged)
    await page.goto(url)
    return page


@pytest.fixture(autouse=True)
def no_script_fails() -> Iterator[None]:
    _failures.clear()
    yield
    assert _failures == []


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("microphone") / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(pcm16(talk_path(), 48_000, SECONDS))
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def speaking(microphone: Path) -> AsyncIterator[Browser]:
    """A browser into whose microphone the talk is spoken over and over."""
    async with chromium(f"--use-file-for-fake-audio-capture={microphone}") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def scripted(request: pytest.FixtureRequest) -> AsyncIterator[Scripted]:
    async with scripted_server() as server:
        yield server
        for name in {"browser", "speaking"} & set(request.fixturenames):
            running: Browser = request.getfixturevalue(name)
            for context in running.contexts:
                await context.close()
