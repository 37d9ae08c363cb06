"""The pages in real Chromium, with a microphone that speaks the talk, against the real server."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from captions.words import fold
from livecaptions.talk import talk_path, text
from tests.browser.conftest import SECONDS, chromium, opened
from tests.e2e.conftest import Server, pcm16, publish, server  # noqa: F401 - the fixture

pytestmark = pytest.mark.browser


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
        await expect(room.locator("#presence")).to_have_text("Joe is on")
        await expect(room.locator("#transcript")).to_contain_text("live captions", ignore_case=True)
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


async def test_live_rooms_can_be_opened(server: Server) -> None:  # noqa: F811 - the fixture
    audio = pcm16(talk_path(), seconds=8)
    async with chromium() as browser:
        page = await opened(browser, server.http)
        speaking = asyncio.create_task(publish(server, "listed", audio, speed=1, query="speaker=Ada"))
        link = page.locator("#rooms a", has_text="listed")
        await expect(link).to_be_visible(timeout=8_000)
        await link.click()
        await expect(page.locator("#name")).to_have_text("listed")
        await expect(page.locator(".volatile, .stable").first).to_be_visible(timeout=8_000)
        await speaking
