"""The page of a room, with a server that follows a script."""

import pytest
from playwright.async_api import Browser, Page, expect

from captions.errors import ShuttingDown, Unauthorized
from livecaptions.talk import text
from tests.browser.conftest import opened
from tests.browser.scripted import BEGAN, Scripted, caption, track

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def connected(browser: Browser, server: Scripted, path: str = "/r/hall", **size: int) -> Page:
    page = await opened(browser, server.http + path, **size)
    await expect(page.locator("#state")).to_have_text("connected")
    return page


async def said(page: Page) -> list[str]:
    return await page.locator("#transcript .turn:not([hidden]) p").all_inner_texts()


async def test_a_caption_is_revised_in_place_and_never_goes_back(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    await scripted.send(caption("so the lock", revision=2, stable=2))
    await expect(page.locator(".stable")).to_have_text("so the")
    await expect(page.locator(".volatile")).to_have_text("lock")
    await scripted.send(caption("so the log is", revision=3, stable=3), caption("so the lock", revision=2, stable=2))
    await expect(page.locator("#transcript")).to_contain_text("so the log is")
    await scripted.send(caption("So the log is the spine.", revision=4, seq=8))
    await expect(page.locator("#transcript p")).to_have_text("So the log is the spine.")
    await expect(page.locator(".volatile")).to_have_count(0)


async def test_noise_is_withdrawn(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted, "/r/hall?mode=transcript")
    await scripted.send(caption("thank you", revision=1, stable=0))
    await expect(page.locator(".turn p")).to_have_text("thank you")
    await scripted.send(caption("", revision=2, seq=3))
    await expect(page.locator(".turn")).to_be_hidden()


async def test_only_what_is_final_and_new_is_announced(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [caption("Said before.", seq=1)]
    page = await connected(browser, scripted)
    await scripted.send(caption("being said", utterance=2, stable=1))
    await scripted.send(caption("Being said.", utterance=2, revision=2, seq=2))
    await expect(page.locator("#spoken")).to_have_text("Ada: Being said.")
    assert await page.locator("#spoken").get_attribute("aria-live") == "polite"


async def test_what_is_told_is_text_and_nothing_else(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    await scripted.send(caption("<img src=x onerror=alert(1)>", speaker="<b>Ada</b>", seq=1))
    await expect(page.locator("#transcript p")).to_have_text("<img src=x onerror=alert(1)>")
    assert await page.locator("main img, main b b").count() == 0


async def test_paragraphs_follow_speakers_and_sentences(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [
        *(caption(f"One {at}.", utterance=at, start=at * 3.0, seq=at) for at in range(1, 5)),
        caption("Two begins and", utterance=5, start=15.0, seq=5),
        caption("goes on.", utterance=6, start=18.0, seq=6),
        caption("Three.", utterance=1, track="guest", speaker="Joe", start=21.0, seq=7),
    ]
    page = await connected(browser, scripted)
    assert await said(page) == ["One 1. One 2. One 3. One 4.", "Two begins and goes on.", "Three."]
    assert await page.locator(".turn b").all_inner_texts() == ["Ada", "Joe"]


async def test_a_lost_connection_goes_on_after_the_last_event(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [caption("Before.", seq=41)]
    page = await connected(browser, scripted)
    await scripted.send(caption("still going", utterance=2, stable=1))
    await expect(page.locator("#transcript")).to_contain_text("still going")
    scripted.history = [{"type": "gap", "from": 41, "to": 50}, caption("After.", utterance=3, seq=51)]
    scripted.denial = ShuttingDown()
    await scripted.drop_viewers()
    await expect(page.locator("#state")).to_have_text("reconnecting…")
    scripted.denial = None
    await expect(page.locator("#state")).to_have_text("connected")
    await expect(page.locator("#transcript")).to_contain_text("After.")
    await expect(page.locator(".note")).to_contain_text("no longer kept")
    assert scripted.views[0].get("after") is None
    assert {view["after"] for view in scripted.views[1:]} == {"41"}


async def test_a_server_that_counts_anew_is_understood(browser: Browser, scripted: Scripted) -> None:
    """Its utterances bear the numbers of others that were said hours ago."""
    scripted.history = [caption("Of the old server.", revision=30, seq=900)]
    page = await connected(browser, scripted)
    later = BEGAN.replace(hour=15)
    scripted.history = [
        {"type": "gap", "from": 900, "to": 0},
        caption("Of the new one.", revision=4, began=later, seq=1),
    ]
    await scripted.drop_viewers()
    await expect(page.locator("#transcript")).to_contain_text("Of the new one.")
    await expect(page.locator("#transcript")).to_contain_text("Of the old server.")


async def test_a_refusal_is_explained_and_final(browser: Browser, scripted: Scripted) -> None:
    scripted.denial = Unauthorized("a token is needed; ask the operator")
    page = await opened(browser, f"{scripted.http}/r/hall?token=old&mode=transcript")
    await expect(page.locator("#waiting")).to_have_text("A token is needed; ask the operator.")
    await expect(page.locator("#state")).to_have_text("refused")
    assert scripted.views == [{"token": "old", "history": "200"}]
    for link in await page.locator("[data-format]").all():
        assert "token=old" in (await link.get_attribute("href") or "")


async def test_who_is_there(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [track("live", seq=1), track("live", seq=2, name="guest", speaker="Joe")]
    page = await connected(browser, scripted)
    await expect(page.locator("#presence")).to_have_text("Ada, Joe are on")
    await scripted.send(track("away", seq=3))
    await expect(page.locator("#presence")).to_have_text("Joe is on · Ada lost the connection")
    await scripted.send(track("ended", seq=4), track("ended", seq=5, name="guest", speaker="Joe"))
    await expect(page.locator("#presence")).to_have_text("Nobody is speaking now")


async def test_reading_back_is_left_in_peace(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [caption(f"Sentence {at}.", utterance=at, start=at * 10.0, seq=at) for at in range(1, 80)]
    page = await connected(browser, scripted)
    await expect(page.locator(".turn").last).to_be_in_viewport()
    await page.mouse.wheel(0, -1500)
    await expect(page.locator("#jump")).to_be_visible()
    before = await page.evaluate("scrollY")
    await scripted.send(caption("News at the end.", utterance=99, start=990.0, seq=100))
    await expect(page.locator("#transcript")).to_contain_text("News at the end.")
    assert await page.evaluate("scrollY") == before
    await page.click("#jump")
    await expect(page.get_by_text("News at the end.").first).to_be_in_viewport()
    await expect(page.locator("#jump")).to_be_hidden()


async def test_hours_of_history_are_shown_quickly(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [caption(text()[:150], utterance=at, start=at * 8.0, seq=at) for at in range(1, 2001)]
    page = await opened(browser, f"{scripted.http}/r/hall")
    await expect(page.locator("#transcript span[data-final]")).to_have_count(2000)
    await expect(page.locator(".turn").last).to_be_in_viewport()


async def test_mode_and_size_are_remembered(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    await page.click("[data-mode=subtitles]")
    await page.click("#larger")
    assert "mode=subtitles" in page.url
    size = await page.evaluate("document.documentElement.style.getPropertyValue('--size')")
    await page.goto(f"{scripted.http}/r/hall")
    await expect(page.locator("#subtitles")).to_be_visible()
    assert await page.evaluate("document.documentElement.style.getPropertyValue('--size')") == size
    await page.goto(f"{scripted.http}/r/hall?mode=transcript")
    await expect(page.locator("#transcript")).to_be_attached()
    await expect(page.locator("#subtitles")).to_be_hidden()


LAID = """() => {
  const box = document.getElementById("subtitles").getBoundingClientRect();
  const lines = [...document.querySelectorAll(".line")];
  const left = (word) => Math.round(word.getBoundingClientRect().left);
  const page = document.documentElement;
  return {
    texts: lines.map((line) => line.textContent),
    rows: lines.map((line) => line.getClientRects()[0].height / parseFloat(getComputedStyle(line).lineHeight)),
    lefts: lines.flatMap((line) => [...line.querySelectorAll("span")].map(left)),
    inside: box.left >= 0 && box.right <= innerWidth,
    overflow: page.scrollWidth > innerWidth || page.scrollHeight > innerHeight,
  };
}"""


@pytest.mark.parametrize("screen", [(390, 844), (844, 390), (1280, 800), (2560, 1440)])
async def test_subtitles_fit_every_screen_and_do_not_jump(
    browser: Browser, scripted: Scripted, screen: tuple[int, int]
) -> None:
    page = await connected(browser, scripted, "/r/hall?mode=subtitles", width=screen[0], height=screen[1])
    words = text().split()[:40]
    for utterance in range(2):
        places: dict[int, int] = {}
        for count in range(1, len(words) + 1, 3):
            spoken = " ".join(words[:count])
            await scripted.send(caption(spoken, utterance=utterance, revision=count, stable=max(0, count - 3)))
            await expect(page.locator(".line").last).to_contain_text(words[count - 1])
            laid = await page.evaluate(LAID)
            assert len(laid["texts"]) <= 2
            assert all(len(line) <= 42 for line in laid["texts"])
            assert all(rows < 1.5 for rows in laid["rows"]), "the screen broke a line again"
            assert laid["inside"]
            assert not laid["overflow"]
            ours = min(len(laid["lefts"]), count)
            for place, left in enumerate(laid["lefts"][-ours:], start=count - ours):
                assert places.setdefault(place, left) == left, "a word moved sideways"
        await page.click("#larger")


async def test_an_interleaved_speaker_is_named_within_the_line(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted, "/r/hall?mode=subtitles")
    long = "words that go on and on until the line is as full as it may be"
    await scripted.send(caption("First.", seq=1), caption(long, track="guest", speaker="Joe Soap", seq=2))
    await expect(page.locator(".who")).to_have_text("Joe Soap: ")
    for line in await page.locator(".line").all_inner_texts():
        assert len(line) <= 42


async def test_the_keyboard_reaches_everything(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    reached = []
    for _ in range(9):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent"))
    assert reached[0] == "Skip to the captions"
    assert {"Transcript", "Subtitles", "Smaller text", "Larger text", "Save"} <= set(reached)
