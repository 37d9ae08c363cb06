"""What readers of a room's page see of captions that the second pass changed."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from livecaptions.talk import text
from tests.browser.conftest import opened
from tests.browser.scripted import Message, Scripted, caption, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FINALS = "#transcript span[data-final=true]"
CHANGED = "#transcript .changed"
WORDS = text().split()

ANIMATED = "document.getAnimations().map((one) => one.animationName).filter(Boolean)"

WATCHES = """(element, edge) => {
  window.seen = [];
  let drawing = 0;
  const frame = requestAnimationFrame.bind(window);
  const look = () => seen.push(element.getBoundingClientRect()[edge]);
  window.requestAnimationFrame = (draw) => {
    drawing += 1;
    frame((now) => {
      draw(now);
      drawing -= 1;
      look();
    });
  };
  const every = () => {
    if (!drawing) look();
    frame(every);
  };
  frame(every);
}"""
"""Records where an edge of an element is in each frame that is painted: after the page has drawn."""


def refined(said: str, **fields: object) -> Message:
    return caption(said, **{"pass": "refined", "revision": 3, **fields})  # type: ignore[arg-type] # a caption's fields


async def connected(browser: Browser, server: Scripted, path: str = "/r/hall?mode=transcript") -> Page:
    page = await opened(browser, server.http + path)
    await expect(page.locator("#state")).to_have_text("connected")
    return page


def talk(captions: int) -> list[Message]:
    """Long captions with their number in front, four to a paragraph."""
    said = [" ".join(WORDS[at % 100 : at % 100 + 30]) for at in range(captions)]
    return [
        caption(f"#{at} {words}.", utterance=at, start=at * 5.0, revision=2, seq=at) for at, words in enumerate(said)
    ]


def longer(utterance: int, seq: int) -> Message:
    """The second pass heard many more words than the live one."""
    more = " ".join(WORDS[20:90])
    return refined(f"#{utterance} {more}.", utterance=utterance, start=utterance * 5.0, seq=seq)


def withdrawn(utterance: int, seq: int) -> Message:
    return refined("", utterance=utterance, start=utterance * 5.0, revision=4, seq=seq)


async def test_only_the_words_that_changed_stand_out_and_only_for_a_moment(
    browser: Browser, scripted: Scripted, tmp_path: Path
) -> None:
    scripted.history = [caption("you can manage it with cube control, then", seq=5)]
    page = await connected(browser, scripted)
    await scripted.send(
        caption("half of", utterance=2, stable=1), caption("Half of it.", utterance=2, revision=2, seq=6)
    )
    await expect(page.locator(FINALS)).to_have_count(2)
    assert await page.locator(CHANGED).count() == 0, "an ordinary final is not pointed at"
    await scripted.send(refined("You can manage it with kubectl then.", seq=7))
    await expect(page.locator(CHANGED)).to_have_text(["kubectl"])
    await page.screenshot(path=tmp_path / "changed.png")
    assert await page.locator(FINALS).all_text_contents() == ["You can manage it with kubectl then.", "Half of it."]
    assert await page.evaluate(ANIMATED) == ["calm"]
    await expect(page.locator(CHANGED)).to_have_count(0)
    assert await page.locator(FINALS).first.inner_text() == "You can manage it with kubectl then."


async def test_late_and_repeated_versions_change_nothing(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    live, better = caption("the lock", revision=9, seq=1), refined("The log", revision=2, seq=2)
    await scripted.send(
        live, better, live, better, caption("the lo", revision=4), refined("The lot", revision=1, seq=3)
    )
    await scripted.send(caption("Next.", utterance=2, seq=4))
    await expect(page.locator("#transcript")).to_contain_text("Next.")
    assert await page.locator(FINALS).all_text_contents() == ["The log", "Next."]


async def test_who_wants_no_motion_gets_none(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    await page.emulate_media(reduced_motion="reduce")
    await scripted.send(caption("the lock is the spine", seq=1), refined("the log is the spine", seq=2))
    await expect(page.locator(CHANGED)).to_have_text(["log"])
    assert await page.evaluate(ANIMATED) == []
    await expect(page.locator(CHANGED)).to_have_count(0)


async def test_what_changes_while_nobody_looks_is_not_pointed_at_later(browser: Browser, scripted: Scripted) -> None:
    """An animation of what is hidden would begin when it is shown."""
    page = await connected(browser, scripted, "/r/hall?mode=subtitles")
    await scripted.send(caption("the lock", seq=1), refined("the log", seq=2))
    await expect(page.locator(CHANGED)).to_have_count(1)
    await expect(page.locator(CHANGED)).to_have_count(0)
    await page.click("[data-mode=transcript]")
    await expect(page.locator(FINALS)).to_have_text(["the log"])
    assert await page.evaluate(ANIMATED) == []


@pytest.mark.parametrize("anchoring", ["auto", "none"])
async def test_a_reader_who_scrolled_up_keeps_the_line(browser: Browser, scripted: Scripted, anchoring: str) -> None:
    """With the browser's own scroll anchoring, and in one that has none."""
    scripted.history = talk(60)
    page = await connected(browser, scripted)
    await page.evaluate("(anchoring) => { document.documentElement.style.overflowAnchor = anchoring; }", anchoring)
    await page.mouse.wheel(0, -1)
    read = page.locator(FINALS).nth(30)
    await page.evaluate("scrollTo(0, scrollY - 1500)")
    await read.evaluate("(element) => scrollBy(0, element.getBoundingClientRect().top - 70)")
    await expect(page.locator("#jump")).to_be_visible()
    before = await read.bounding_box()
    height = await page.evaluate("document.documentElement.scrollHeight")
    await read.evaluate(WATCHES, "top")
    changes = [longer(3, 100), longer(20, 101), longer(29, 102), longer(30, 103), longer(50, 104)]
    for change in [*changes, withdrawn(4, 105), withdrawn(28, 106)]:
        await scripted.send(change)
    await scripted.send(caption("News at the end.", utterance=99, start=990.0, seq=110))
    await expect(page.locator("#transcript")).to_contain_text("News at the end.")
    await page.wait_for_timeout(300)  # frames, in which it would move
    after = await read.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=2)  # each change is rounded to pixels
    seen: list[float] = await page.evaluate("seen")
    assert len(seen) > 5
    assert max(seen) - min(seen) <= 2, "it moved, and came back"
    assert await page.evaluate("document.documentElement.scrollHeight") > height + 200
    await expect(page.locator("#jump")).to_be_visible()


async def test_a_reader_at_the_end_keeps_the_end(browser: Browser, scripted: Scripted) -> None:
    scripted.history = talk(60)
    page = await connected(browser, scripted)
    last = page.locator(FINALS).last
    await expect(last).to_be_in_viewport()
    before = await last.bounding_box()
    await last.evaluate(WATCHES, "bottom")
    for utterance, seq in [(2, 100), (56, 101), (58, 102)]:
        await scripted.send(longer(utterance, seq))
    await expect(page.locator(FINALS).nth(58)).to_contain_text(" ".join(WORDS[80:90]))
    await page.wait_for_timeout(300)  # frames, in which it would move
    after = await last.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] + after["height"] == pytest.approx(before["y"] + before["height"], abs=1)
    seen: list[float] = await page.evaluate("seen")
    assert len(seen) > 5
    assert max(seen) - min(seen) <= 1
    await expect(page.locator("#jump")).to_be_hidden()


async def test_screen_readers_are_told_once(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted)
    await page.evaluate(
        """() => {
          window.touched = [];
          const told = "[aria-live], [role=status], [role=alert]";
          const place = ({ target }) => (target.nodeType === 1 ? target : target.parentElement)?.closest(told);
          const look = (changes) => touched.push(...changes.map(place).filter(Boolean).map(({ id }) => id));
          new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    await scripted.send(caption("the lock", seq=1))
    await expect(page.locator("#spoken p")).to_have_text(["Ada: the lock"])
    told = await page.evaluate("touched.splice(0)")
    assert told == ["spoken"]
    await scripted.send(
        refined("the log", seq=2), caption("noise", utterance=2, seq=3), refined("", utterance=2, seq=4)
    )
    await expect(page.locator(FINALS).last).to_have_text("")
    assert await page.locator("#spoken p").all_inner_texts() == ["Ada: the lock", "Ada: noise"]
    assert await page.evaluate("touched") == ["spoken"], "only of what is new"


async def test_who_missed_a_caption_is_told_its_best_version(browser: Browser, scripted: Scripted) -> None:
    """While the connection was lost, a caption was said, and the second pass changed two."""
    scripted.history = [caption("the lock", seq=1)]
    page = await connected(browser, scripted)
    scripted.history = [
        caption("Said last.", utterance=3, seq=3), refined("the log", seq=4), refined("Missed.", utterance=2, seq=5)
    ]  # fmt: skip
    await scripted.drop_viewers()
    await expect(page.locator(FINALS)).to_have_text(["the log", "Missed.", "Said last."])
    assert scripted.views[1]["after"] == "1"
    assert await page.locator("#spoken p").all_inner_texts() == ["Ada: Missed.", "Ada: Said last."]


async def test_a_late_reader_reads_in_the_order_that_was_spoken(browser: Browser, scripted: Scripted) -> None:
    """The room so far comes by seq: what the second pass changed comes after what was said later."""
    scripted.history = [
        caption("One", utterance=1, seq=1),
        caption("two.", utterance=2, track="guest", speaker="Joe", seq=2),
        caption("Five.", utterance=5, seq=5),
        refined("three", utterance=3, seq=6),
        refined("four.", utterance=4, seq=7),
    ]
    page = await connected(browser, scripted)
    assert await page.locator("#transcript .turn p").all_inner_texts() == ["One", "two.", "three four. Five."]
    assert await page.locator(".turn b").all_inner_texts() == ["Ada", "Joe", "Ada"]
    assert await page.locator(CHANGED).count() == 0


async def test_what_is_put_back_finds_its_place(browser: Browser, scripted: Scripted) -> None:
    """The live pass withdrew them as noise, and the second pass hears speech."""
    lost = [(2, "main", "Ada"), (4, "main", "Ada"), (6, "guest", "Joe"), (8, "main", "Ada")]
    page = await connected(browser, scripted)
    for at in range(1, 10):
        track, speaker = next(((t, s) for u, t, s in lost if u == at), ("main", "Ada"))
        kept = f"#{at}." if at in {1, 3, 5, 9} else ""
        if at == 9:
            track, speaker = "guest", "Joe"
        await scripted.send(caption(kept, utterance=at, start=at * 4.0, track=track, speaker=speaker, seq=at))
    await expect(page.locator("#transcript")).to_contain_text("#9.")
    for at, track, speaker in lost:
        said = refined(f"#{at}.", utterance=at, start=at * 4.0, track=track, speaker=speaker, seq=at + 20)
        await scripted.send(said)
    await expect(page.locator(FINALS)).to_have_text([f"#{at}." for at in (1, 2, 3, 4, 5, 6, 8, 9)])
    assert await page.locator("#transcript .turn p").all_inner_texts() == ["#1. #2. #3. #4. #5.", "#6.", "#8.", "#9."]
    assert await page.locator(".turn b").all_inner_texts() == ["Ada", "Joe", "Ada", "Joe"]
    assert await page.locator("#spoken p").count() == 4, "it was said long ago"


LINES = "[...document.querySelectorAll('#subtitles .line')].map((line) => line.textContent)"


async def test_subtitles_neither_move_nor_come_back(browser: Browser, scripted: Scripted) -> None:
    page = await connected(browser, scripted, "/r/hall?mode=subtitles")
    said = [caption(f"This is sentence number {at}.", utterance=at, seq=at) for at in range(1, 20)]
    await scripted.send(*said, caption("and this one is be", utterance=20, stable=4))
    await expect(page.locator(".line").last).to_have_text("and this one is be")
    stands = await page.evaluate(LINES)
    boxes = [await line.bounding_box() for line in await page.locator(".line").all()]
    changed = [refined(f"Quite another sentence {at}.", utterance=at, seq=at + 30) for at in (1, 18, 19)]
    unheard = refined("Never heard.", utterance=0, seq=61)
    await scripted.send(*changed, refined("", utterance=19, revision=4, seq=60), unheard)
    await expect(page.locator(FINALS).nth(18)).to_have_text("Quite another sentence 18.")
    await expect(page.locator(FINALS).first).to_have_text("Never heard.")
    assert await page.evaluate(LINES) == stands == ["This is sentence number 19.", "and this one is be"]
    assert [await line.bounding_box() for line in await page.locator(".line").all()] == boxes
    await page.click("#larger")
    assert await page.evaluate(LINES) == stands
    await scripted.send(caption("and this one is being said", utterance=20, revision=2, stable=5))
    await expect(page.locator(".line").last).to_have_text("and this one is being said")


async def test_late_subtitles_begin_with_what_was_said_last(browser: Browser, scripted: Scripted) -> None:
    scripted.history = [
        caption("Said last.", utterance=3, seq=3),
        refined("Said first.", utterance=1, seq=4),
        refined("Said before it.", utterance=2, seq=5),
    ]
    page = await connected(browser, scripted, "/r/hall?mode=subtitles")
    await expect(page.locator(".line")).to_have_text(["Said before it.", "Said last."])


async def test_an_unfinished_subtitle_is_finished_by_whatever_comes(browser: Browser, scripted: Scripted) -> None:
    """Its live final came while the connection was lost."""
    page = await connected(browser, scripted, "/r/hall?mode=subtitles")
    await scripted.send(caption("the lock", stable=1))
    await expect(page.locator(".line")).to_have_text(["the lock"])
    scripted.history = [refined("The log.", seq=9)]
    await scripted.drop_viewers()
    await expect(page.locator(".line")).to_have_text(["The log."])
    await until(lambda: len(scripted.views) == 2)


async def test_words_are_compared_as_readers_compare_them(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, f"{scripted.http}/r/words")
    cases = [
        ("a b c", "a x c", ["x"]),
        ("the lock is", "The log, is.", ["log,"]),
        ("so", "So.", []),
        ("a b b c", "a b c", []),
        ("a c", "a b - c", ["b"]),
        ("", "all of it", ["all", "of", "it"]),
        ("字 幕 は", "字 も は", ["も"]),
    ]
    found = await page.evaluate(
        """async (cases) => {
          const { changes } = await import("/static/revised.js");
          const list = (said) => (said ? said.split(" ") : []);
          return cases.map(([before, after]) => {
            const changed = changes(list(before), list(after));
            return list(after).filter((_, at) => changed[at]);
          });
        }""",
        [[before, after] for before, after, _ in cases],
    )
    assert found == [new for _, _, new in cases]


async def test_speakers_see_what_becomes_of_their_words(speaking: Browser, scripted: Scripted) -> None:
    page = await opened(speaking, scripted.http)
    await page.fill("#room", "hall")
    await page.click("#start")
    await until(lambda: bool(scripted.published) and len(scripted.published[0].audio) > 0)
    socket = scripted.published[0].socket
    for at in range(1, 30):
        await socket.send_json(caption(f"Number {at}. " + " ".join(WORDS[:20]), utterance=at, seq=at))
    await expect(page.locator("#mine > span")).to_have_count(29)
    await page.locator("#mine").evaluate("(mine) => { mine.scrollTop = 40; }")
    await socket.send_json(refined(f"Figure 2. {' '.join(WORDS[:20])}", utterance=2, seq=50))
    await expect(page.locator("#mine .changed")).to_have_text(["Figure"])
    assert await page.locator("#mine").evaluate("(mine) => mine.scrollTop") == 40
