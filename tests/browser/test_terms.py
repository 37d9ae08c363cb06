"""The start page's field for terms: written, found in a programme, saved for the room."""

import json

import pytest
from playwright.async_api import Browser, Page, expect

from captions.stored_glossary import Owner
from captions.term_lines import read_terms
from tests.browser.conftest import opened
from tests.browser.scripted import Scripted, until
from tests.support import terms

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HALL = Owner(None, "hall")
PROGRAMME = "10:00 Opening Remarks, Dr. Miriam Oyelaran\n10:15 We run etcd and kubectl in production"


async def at_the_terms(browser: Browser, server: Scripted) -> Page:
    page = await opened(browser, server.http)
    await page.fill("#room", "hall")
    await page.locator("#expecting summary").press("Enter")
    await expect(page.locator("#save")).to_be_visible()
    return page


async def test_terms_go_with_the_speakers_session(speaking: Browser, scripted: Scripted) -> None:
    page = await at_the_terms(speaking, scripted)
    await page.fill("#terms", "# names\nAda Lovelace\n\nkubectl | cube control, kube cuddle | 2\nAda Lovelace | twice")
    await page.click("#start")
    await expect(page.locator("#state")).to_have_text("Live")
    kubectl = {"text": "kubectl", "sounds_like": ["cube control", "kube cuddle"], "weight": 2}
    ada, other = scripted.published[0].vocabulary
    assert (ada, json.loads(other)) == ("Ada Lovelace", kubectl)


async def test_terms_are_found_in_a_programme_and_edited(browser: Browser, scripted: Scripted) -> None:
    page = await at_the_terms(browser, scripted)
    await page.fill("#terms", "etcd | et cetera d")
    await page.fill("#programme", PROGRAMME)
    await page.locator("#find").press("Enter")
    await expect(page.locator("#terms-told")).to_have_text("2 terms found. Remove what nobody will say.")
    await expect(page.locator("#terms")).to_have_value("etcd | et cetera d\nMiriam Oyelaran\nkubectl\n")
    await expect(page.locator("#terms")).to_be_focused()
    await expect(page.locator("#programme")).to_have_value("")
    await page.fill("#programme", "kubectl")
    await page.click("#find")
    await expect(page.locator("#terms-told")).to_have_text("The terms in this text are in the list already.")
    await page.fill("#programme", "we go there today")
    await page.click("#find")
    await expect(page.locator("#terms-told")).to_have_text("No terms found.")
    await page.type("#terms", "x")
    await expect(page.locator("#terms-told")).to_have_text("")
    assert scripted.glossaries.of(HALL).glossary.terms == (), "a proposal is not stored"


async def test_terms_are_saved_for_the_room_and_then_not_sent_again(speaking: Browser, scripted: Scripted) -> None:
    page = await at_the_terms(speaking, scripted)
    await page.fill("#terms", "Ada Lovelace\nkubectl | cube control")
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_contain_text("everybody who speaks in hall now expect 2 terms")
    assert [term.text for term in scripted.glossaries.of(HALL).glossary.terms] == ["Ada Lovelace", "kubectl"]
    await page.click("#start")
    await expect(page.locator("#state")).to_have_text("Live")
    assert scripted.published[0].vocabulary == []


async def test_an_empty_field_is_filled_with_the_rooms_terms_which_are_not_sent_again(
    speaking: Browser, scripted: Scripted
) -> None:
    many = terms(*map(str, range(150)))
    await scripted.glossaries.put(HALL, many)
    page = await at_the_terms(speaking, scripted)
    await expect(page.locator("#terms")).to_have_value("".join(f"{n}\n" for n in range(150)))
    await page.fill("#terms", f"{await page.input_value('#terms')}mine")
    await page.click("#start")
    await expect(page.locator("#state")).to_have_text("Live")
    assert scripted.published[0].vocabulary == ["mine"]


async def test_a_list_that_was_not_shown_is_replaced_only_on_a_second_press(
    browser: Browser, scripted: Scripted
) -> None:
    four = terms("a1", "b2", "c3", "d4")
    await scripted.glossaries.put(HALL, four)
    page = await opened(browser, scripted.http)
    await page.fill("#room", "elsewhere")
    await page.locator("#expecting summary").press("Enter")
    await page.fill("#terms", "mine")
    await page.fill("#room", "hall")
    await page.press("#room", "Tab")
    await expect(page.locator("#load")).to_have_text("Show the room\u2019s 4 terms")
    await expect(page.locator("#terms")).to_have_value("mine")
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_contain_text("Replace the room\u2019s 4 terms by this 1?")
    await expect(page.locator("#save")).to_have_text("Replace 4 terms")
    assert scripted.glossaries.of(HALL).glossary.terms == four
    await page.fill("#terms", "mine too")
    await expect(page.locator("#save")).to_have_text("Save for this room")
    await page.click("#save")
    await page.click("#save")
    await until(lambda: scripted.glossaries.of(HALL).glossary.terms == terms("mine too"))


async def test_a_list_that_was_shown_is_deleted_only_on_a_second_press(browser: Browser, scripted: Scripted) -> None:
    await scripted.glossaries.put(HALL, terms("a1", "b2"))
    page = await at_the_terms(browser, scripted)
    await expect(page.locator("#terms")).to_have_value("a1\nb2\n")
    await page.fill("#terms", "")
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_contain_text("Delete the room\u2019s 2 terms?")
    assert scripted.glossaries.of(HALL).glossary.terms == terms("a1", "b2")
    await page.click("#save")
    await until(lambda: scripted.glossaries.of(HALL).glossary.terms == ())


async def test_showing_the_rooms_terms_keeps_what_is_typed(browser: Browser, scripted: Scripted) -> None:
    page = await at_the_terms(browser, scripted)
    await page.fill("#terms", "mine\nb2 | bee two")
    await scripted.glossaries.put(HALL, terms(*(f"{letter}2" for letter in "abcdefghijklmnop")))
    for _ in range(2):  # closed and opened again
        await page.locator("#expecting summary").press("Enter")
    await page.click("#load")
    rest = "".join(f"{letter}2\n" for letter in "acdefghijklmnop")
    await expect(page.locator("#terms")).to_have_value(f"mine\nb2 | bee two\n{rest}")
    await expect(page.locator("#load")).to_be_hidden()
    assert await page.evaluate("document.getElementById('terms').scrollTop") == 0


async def test_the_terms_and_messages_of_one_room_do_not_stay_in_another(browser: Browser, scripted: Scripted) -> None:
    await scripted.glossaries.put(HALL, terms("a1"))
    page = await at_the_terms(browser, scripted)
    await page.click("#find")
    await expect(page.locator("#terms-told")).to_contain_text("Paste a programme")
    await page.fill("#room", "elsewhere")
    await expect(page.locator("#terms-told")).to_have_text("")
    await page.press("#room", "Tab")
    await expect(page.locator("#terms")).to_have_value("")
    await expect(page.locator("#load")).to_be_hidden()


async def test_two_editors_are_told_of_each_other(browser: Browser, scripted: Scripted) -> None:
    await scripted.glossaries.put(HALL, terms("first"))
    page = await at_the_terms(browser, scripted)
    await expect(page.locator("#terms")).to_have_value("first\n")
    await scripted.glossaries.put(HALL, terms("of somebody else"))
    await page.fill("#terms", "mine")
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_contain_text("Somebody else has changed")
    assert scripted.glossaries.of(HALL).glossary.terms == terms("of somebody else")
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_contain_text("Replace the room\u2019s 1 term by this 1?")
    await page.click("#load")
    await expect(page.locator("#terms")).to_have_value("mine\nof somebody else\n")
    await page.click("#save")
    await until(lambda: scripted.glossaries.of(HALL).glossary.terms == terms("mine", "of somebody else"))


async def test_a_line_that_is_wrong_is_named_before_anybody_speaks(browser: Browser, scripted: Scripted) -> None:
    page = await at_the_terms(browser, scripted)
    await page.fill("#terms", "good\nkubectl | a | heavy")
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_contain_text("Line 2: the weight must be 0.1 to 10")
    await page.click("#start")
    await expect(page.locator("#problem")).to_contain_text("Line 2 of the terms: the weight")
    await expect(page.locator("#terms")).to_be_focused()
    await page.fill("#terms", "x" * 51)
    await page.click("#save")
    await expect(page.locator("#terms-told")).to_have_text("Line 1: the term is longer than 50 characters.")
    await page.click("#start")
    await expect(page.locator("#problem")).to_have_text("Line 1 of the terms: the term is longer than 50 characters.")
    await page.fill("#terms", "\n".join(map(str, range(101))))
    await page.click("#start")
    await expect(page.locator("#problem")).to_contain_text("save them for the room")
    assert scripted.published == []


async def test_who_may_not_change_the_room_has_a_list_of_their_own(speaking: Browser, scripted: Scripted) -> None:
    page = await opened(speaking, scripted.http)
    await page.route(
        "**/glossary?*", lambda route: route.fulfill(status=403, json={"code": "forbidden", "message": "no"})
    )
    await page.fill("#room", "hall")
    await page.locator("#expecting summary").click()
    await expect(page.locator("#not-saved")).to_contain_text("Only those who manage the room can save terms for it.")
    await page.fill("#terms", "Ada Lovelace")
    await page.click("#start")
    await expect(page.locator("#state")).to_have_text("Live")
    assert scripted.published[0].vocabulary == ["Ada Lovelace"]
    await expect(page.locator("#save")).to_be_hidden()


LINES = r"""# comment
 plain
a | b
a again | c
x||0.5
C\|C, Inc. | see pipe see\, inc
\#tag
back\\slash
C:\dir
sounds | one,two, ,three
emoji 😀 | smile | 10
"""


async def test_page_and_server_read_lines_alike(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, scripted.http)
    read = await page.evaluate("async (text) => (await import('/static/lines-of-terms.js')).termsOf(text)", LINES)
    assert read == [term.model_dump(mode="json") for term in read_terms(LINES)]
