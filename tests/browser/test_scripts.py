"""Captions in other scripts than Latin: their direction, their language, and the length of their lines."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import opened
from tests.browser.scripted import Scripted, caption

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ARABIC = "Kafka هو العمود الفقري للنظام، أليس كذلك؟"
HEBREW = "שלום לכולם, נתחיל עכשיו."
JAPANESE = "字幕は一行に十六文字まで入りそれより長い文は次の行へ続きます。"


async def connected(browser: Browser, server: Scripted, mode: str) -> Page:
    page = await opened(browser, f"{server.http}/r/hall?mode={mode}")
    await expect(page.locator("#state")).to_have_text("connected")
    return page


@pytest.mark.parametrize(("language", "text"), [("ar", ARABIC), ("he", HEBREW), ("fa-IR", "سلام دنیا.")])
async def test_a_line_is_written_in_the_direction_of_its_language(
    browser: Browser, scripted: Scripted, language: str, text: str
) -> None:
    """Also where its first word is of the other direction."""
    page = await connected(browser, scripted, "subtitles")
    await scripted.send(caption(text, seq=1, language=language), caption("Then English.", utterance=2, seq=2))
    lines = page.locator("#subtitles .line")
    await expect(lines).to_have_count(2)
    attributes = [[await line.get_attribute(name) for name in ("lang", "dir")] for line in await lines.all()]
    assert attributes == [[language, "rtl"], ["en", "ltr"]]
    first, last = (
        await lines.first.locator("span").first.bounding_box(),
        await lines.first.locator("span").last.bounding_box(),
    )
    assert first is not None
    assert last is not None
    assert first["x"] > last["x"]


async def test_a_paragraph_has_one_direction_and_each_caption_its_language(
    browser: Browser, scripted: Scripted
) -> None:
    page = await connected(browser, scripted, "transcript")
    await scripted.send(
        caption("Good morning.", utterance=1, seq=1, start=0),
        caption("Guten Morgen.", utterance=2, seq=2, start=3, language="de"),
        caption(ARABIC, utterance=3, seq=3, start=6, language="ar"),
        caption("Back to English.", utterance=4, seq=4, start=9),
    )
    turns = page.locator("#transcript .turn")
    await expect(turns).to_have_count(3)
    assert [await turn.get_attribute("dir") for turn in await turns.all()] == ["ltr", "rtl", "ltr"]
    languages = [await span.get_attribute("lang") for span in await page.locator("#transcript p > span").all()]
    assert languages == ["en", "de", "ar", "en"]
    announced = page.locator("#spoken p")
    assert [await one.get_attribute("lang") for one in await announced.all()] == ["en", "de", "ar", "en"]


async def test_a_caption_whose_language_turns_out_otherwise_changes_its_direction(
    browser: Browser, scripted: Scripted
) -> None:
    page = await connected(browser, scripted, "transcript")
    await scripted.send(caption("Kafka who", revision=1, stable=0))
    await expect(page.locator("#transcript .turn")).to_have_attribute("dir", "ltr")
    await scripted.send(caption(ARABIC, revision=2, seq=1, language="ar"))
    await expect(page.locator("#transcript .turn")).to_have_attribute("dir", "rtl")


async def test_japanese_lines_have_sixteen_characters(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted, "subtitles")
    words = [{"text": character, "start": 0, "end": 1, "confidence": 0.9} for character in JAPANESE]
    await scripted.send(caption(JAPANESE, seq=1, language="ja", words=words, speaker=None))
    lines = page.locator("#subtitles .line")
    await expect(lines).to_have_count(2)
    assert [len(text) for text in await lines.all_inner_texts()] == [16, len(JAPANESE) - 16]


async def test_a_full_stop_does_not_begin_a_line(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted, "subtitles")
    text = f"{'字' * 16}。{'幕' * 3}"
    await scripted.send(caption(text, revision=1, stable=0, language="ja", speaker=None))
    await expect(page.locator("#subtitles .line")).to_have_count(2)
    assert await page.locator("#subtitles .line").all_inner_texts() == [f"{'字' * 16}。", "幕" * 3]


async def test_marks_above_and_below_letters_take_no_column(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, f"{scripted.http}/r/layout")
    widths = await page.evaluate(
        """async () => {
          const { width } = await import("/static/lines.js");
          return ["مُحَمَّد", "हिन्दी", "字幕", "\\u200fa", "ก็"].map(width);
        }"""
    )
    assert widths == [4, 5, 4, 1, 1]
