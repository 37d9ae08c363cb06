"""The room's page and hours of history, on the product's own gateway."""

import pytest
from playwright.async_api import Browser, Page, Route, expect

from captions.errors import Internal
from captions.track import RoomId
from livecaptions.talk import text
from tests.browser.conftest import opened
from tests.streamer.speaking import say
from tests.streamer.system import System, running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WORDS = text().split()
EARLIER = "**/transcript?*before=*"
FINALS = "#transcript span[data-final=true]"


async def spoken(system: System, finals: int) -> None:
    """So many finals in the hall, each with its number in front, some of another speaker."""
    for number in range(finals):
        said = " ".join(WORDS[number % 200 : number % 200 + 12])
        speaker = "Joe" if number % 9 == 0 else "Ada"
        await say(system, utterance=number, final=True, text=f"#{number} {said}.", start=number * 5.0, speaker=speaker)


async def numbers(page: Page) -> list[int]:
    texts = await page.locator(FINALS).all_text_contents()
    return [int(said.split()[0][1:]) for said in texts]


async def test_the_last_captions_come_first_and_earlier_ones_as_the_reader_goes_up(browser: Browser) -> None:
    async with running([], working=False) as system:
        await spoken(system, 700)
        page = await opened(browser, f"{system.http}/r/hall?mode=transcript")
        await expect(page.locator(FINALS)).to_have_count(200)
        assert await numbers(page) == [*range(500, 700)]
        await expect(page.locator(FINALS).last).to_be_in_viewport()
        for so_far in (400, 600, 700):
            await page.mouse.move(600, 400)
            while await page.locator(FINALS).count() < so_far:
                await page.mouse.wheel(0, -900)
                await page.wait_for_timeout(30)
            assert await numbers(page) == [*range(700 - so_far, 700)]
        await expect(page.locator("#earlier")).to_be_hidden()
        await say(system, utterance=700, final=True, text="#700 News at the end.", start=3500.0)
        await expect(page.locator(FINALS)).to_have_count(701)
        await page.evaluate("scrollTo(0, 0)")
        await expect(page.get_by_text("#0 ").first).to_be_in_viewport()
        await page.context.close()


async def test_what_is_being_read_stays_where_it_is(browser: Browser) -> None:
    async with running([], working=False) as system:
        await spoken(system, 500)
        page = await opened(browser, f"{system.http}/r/hall?mode=transcript")
        await expect(page.locator(FINALS)).to_have_count(200)
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        await page.route(EARLIER, hold)
        async with page.expect_request(EARLIER):
            await page.evaluate("scrollTo(0, 700)")
        line = page.locator(FINALS).filter(has_text="#310 ")
        before = await line.bounding_box()
        await held[0].continue_()
        await expect(page.locator(FINALS)).to_have_count(400)
        after = await line.bounding_box()
        assert before is not None
        assert after is not None
        assert after["y"] == pytest.approx(before["y"], abs=1)
        assert len(held) == 1
        await page.context.close()


async def test_a_page_that_cannot_be_had_is_said_and_can_be_asked_for_again(browser: Browser) -> None:
    async with running([], working=False) as system:
        await spoken(system, 300)
        page = await opened(browser, f"{system.http}/r/hall?mode=transcript")
        await expect(page.locator(FINALS)).to_have_count(200)
        await page.route(EARLIER, lambda route: route.abort())
        await page.evaluate("scrollTo(0, 100)")
        await expect(page.locator("#earlier")).to_have_text("Earlier captions could not be loaded. Try again")
        await page.unroute(EARLIER)
        await page.focus("#earlier")
        await page.keyboard.press("Enter")
        await expect(page.locator(FINALS)).to_have_count(300)
        await expect(page.locator("#earlier")).to_be_hidden()
        assert await numbers(page) == [*range(300)]
        await page.context.close()


async def test_a_room_that_is_told_whole_has_nothing_earlier(browser: Browser) -> None:
    async with running([], working=False) as system:
        await spoken(system, 60)
        page = await opened(browser, f"{system.http}/r/hall?mode=transcript")
        await expect(page.locator(FINALS)).to_have_count(60)
        await expect(page.locator("#state")).to_have_text("connected")
        await page.evaluate("scrollTo(0, 0)")
        await expect(page.locator("#earlier")).to_be_hidden()
        assert await numbers(page) == [*range(60)]
        await page.context.close()


async def test_who_comes_back_after_a_loss_misses_nothing_and_sees_nothing_twice(browser: Browser) -> None:
    async with running([], working=False) as system:
        await spoken(system, 250)
        page = await opened(browser, f"{system.http}/r/hall?mode=transcript")
        await expect(page.locator(FINALS)).to_have_count(200)
        room = system.gateway.hub.room(RoomId("hall"))
        for viewer in room.audience:
            viewer.end(Internal("lost"))
        await expect(page.locator("#state")).to_have_text("reconnecting…")
        for number in range(250, 255):
            await say(system, utterance=number, final=True, text=f"#{number} said meanwhile.", start=number * 5.0)
        await expect(page.locator(FINALS)).to_have_count(205)
        assert await numbers(page) == [*range(50, 255)]
        await page.context.close()
