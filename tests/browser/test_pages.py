"""The pages in real Chromium, with a microphone that speaks the talk, against the real server."""

import asyncio
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from captions.words import fold
from livecaptions.talk import talk_path, text
from tests.e2e.conftest import Server, pcm16, publish, server  # noqa: F401 - the fixture

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--disable-background-networking", "--no-first-run", "--disable-component-update", "--disable-sync",
    "--disable-quic",
]  # fmt: skip
SECONDS = 20


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, *flags])
        yield browser
        await browser.close()


async def opened(browser: Browser, url: str, *, width: int = 1280, height: int = 800) -> Page:
    """A page that fails the test when a script of it does."""
    page = await browser.new_page(viewport={"width": width, "height": height})

    def failed(error: object) -> None:
        raise AssertionError(f"a script failed on {url}: {error}")

    page.on("pageerror", failed)
    await page.goto(url)
    return page


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(pcm16(talk_path(), 48_000, SECONDS))
    return path


def folded(said: str) -> list[str]:
    return [fold(word) for word in said.split()]


async def test_a_speaker_is_captioned_and_read(server: Server, microphone: Path) -> None:  # noqa: F811 - the fixture
    async with chromium(f"--use-file-for-fake-audio-capture={microphone}%noloop") as browser:
        start = await opened(browser, server.http)
        await start.fill("#room", "browser")
        await start.fill("#speaker", "Joe")
        await start.click("#start")
        await expect(start.locator("#state")).to_have_text("Live")
        room = await opened(browser, f"{server.http}/r/browser")
        await expect(room.locator("#presence")).to_have_text("Joe is on", timeout=10_000)
        await expect(room.locator("#transcript")).to_contain_text("live captions", ignore_case=True, timeout=30_000)
        await expect(start.locator("#mine")).to_contain_text("live captions", ignore_case=True)
        await asyncio.sleep(SECONDS - 8)
        await start.click("#stop")
        await expect(start.locator("#start")).to_be_visible(timeout=20_000)
        spoken = folded(" ".join(await room.locator("#transcript .turn p").all_inner_texts()))
        expected = folded(text())[: len(spoken)]
        heard = sum(1 for word in expected if word in spoken)
        assert len(spoken) >= 35
        assert heard >= 0.8 * len(expected)
        await expect(room.locator("#spoken")).to_contain_text("Joe:")
        late = await opened(browser, f"{server.http}/r/browser?mode=subtitles")
        await expect(late.locator(".line").last).to_be_visible()
        for line in await late.locator(".line").all_inner_texts():
            assert len(line) <= 42


async def test_a_refused_microphone_is_explained(server: Server) -> None:  # noqa: F811 - the fixture
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--deny-permission-prompts"],
        )
        page = await opened(browser, server.http)
        await page.click("#start")
        await expect(page.locator("#problem")).to_contain_text("microphone", ignore_case=True)
        await expect(page.locator("#start")).to_be_enabled()
        await browser.close()


async def test_an_insecure_page_says_so(server: Server) -> None:  # noqa: F811 - the fixture
    async with chromium("--host-resolver-rules=MAP captions.example 127.0.0.1") as browser:
        page = await opened(browser, f"http://captions.example:{server.port}/")
        await expect(page.locator("#problem")).to_contain_text("https")


async def test_a_wrong_room_is_named(server: Server) -> None:  # noqa: F811 - the fixture
    async with chromium() as browser:
        page = await opened(browser, server.http)
        await page.fill("#room", "no spaces please")
        await page.click("#start")
        await expect(page.locator("#problem")).to_contain_text("letters, digits")


async def test_live_rooms_can_be_opened(server: Server) -> None:  # noqa: F811 - the fixture
    audio = pcm16(talk_path(), seconds=12)
    async with chromium() as browser:
        page = await opened(browser, server.http)
        speaking = asyncio.create_task(publish(server, "listed", audio, speed=1, query="speaker=Ada"))
        link = page.locator("#rooms a", has_text="listed")
        await expect(link).to_be_visible(timeout=8_000)
        await link.click()
        await expect(page.locator("#name")).to_have_text("listed")
        await expect(page.locator(".volatile, .stable").first).to_be_visible(timeout=8_000)
        await speaking


async def test_lines_never_jump_and_words_never_exceed_them(server: Server) -> None:  # noqa: F811 - the fixture
    """The layout alone: a sentence grows word by word; where a line began, it goes on beginning."""
    async with chromium() as browser:
        page = await opened(browser, f"{server.http}/r/layout")
        problems = await page.evaluate(
            """async (said) => {
              const { layOut, WIDTH } = await import("/static/lines.js");
              const problems = [], began = new Set();
              let before = [];
              for (let count = 1; count <= said.length; count += 1) {
                const heard = said.slice(0, count);
                if (count % 3 === 0) heard[count - 1] = heard[count - 1].slice(0, 2);
                const lines = layOut(heard, " ", Math.max(0, count - 3), began);
                const texts = lines.map((line) => line.map((w) => w.text).join(" "));
                for (const line of texts) if (line.length > WIDTH) problems.push(["wide", line]);
                const starts = lines.map((line, at) => lines.slice(0, at).flat().length);
                if (before.some((start) => start < count && !starts.includes(start))) problems.push(["jumped", count]);
                before = starts;
              }
              return problems;
            }""",
            text().split(),
        )
        assert problems == []


async def test_only_newer_versions_are_shown(server: Server) -> None:  # noqa: F811 - the fixture
    async with chromium() as browser:
        page = await opened(browser, f"{server.http}/r/versions")
        taken = await page.evaluate(
            """async () => {
              const { Captions } = await import("/static/captions.js");
              const held = new Captions();
              const of = (pass, revision) => held.take({ track: "main", utterance: 1, pass, revision, started_at: "2026-11-23T17:58:03.120Z" }) !== null;
              const live = [2, 1, 2, 3].map((revision) => of("live", revision));
              return [...live, of("refined", 1), of("live", 9), of("edited", 0)];
            }"""
        )
        assert taken == [True, False, False, True, True, False, True]
