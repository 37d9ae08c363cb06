"""The start page: speaking into a server that follows a script, drops connections and refuses."""

import pytest
from playwright.async_api import Browser, Page, expect

from captions.errors import ShuttingDown
from tests.browser.conftest import chromium, opened
from tests.browser.scripted import SECOND, Scripted, caption, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def started(browser: Browser, server: Scripted, *, speaker: str = "Ada", query: str = "") -> Page:
    page = await opened(browser, f"{server.http}/{query}")
    await page.fill("#room", "hall")
    await page.fill("#speaker", speaker)
    await page.click("#start")
    return page


async def test_audio_goes_out_and_captions_come_back(speaking: Browser, scripted: Scripted) -> None:
    page = await started(speaking, scripted)
    await expect(page.locator("#state")).to_have_text("Live")
    [connection] = scripted.published
    assert connection.query == {"sample_rate": "16000", "speaker": "Ada", "track": "ada"}
    await connection.socket.send_json(caption("hear me", stable=1))
    await expect(page.locator("#mine .volatile")).to_have_text("me")
    await until(lambda: len(connection.audio) > SECOND)
    assert len(set(connection.audio)) > 100, "the microphone's sound, not silence"
    await expect(page.locator("#link")).to_have_attribute("href", f"{scripted.http}/r/hall")
    await page.click("#stop")
    await expect(page.locator("#start")).to_be_focused()
    assert connection.commands == ["end"]


async def test_a_lost_connection_resumes_without_a_seam(speaking: Browser, scripted: Scripted) -> None:
    scripted.acknowledges = False
    page = await started(speaking, scripted)
    await until(lambda: len(scripted.published) == 1 and len(scripted.published[0].audio) > SECOND)
    first = scripted.published[0]
    scripted.resumes_at = SECOND // 2 + 334  # within a frame
    scripted.denial = ShuttingDown()
    await first.socket.close(1001)
    await expect(page.locator("#state")).to_contain_text("trying again")
    scripted.denial = None
    scripted.rooms = [{"room": "hall", "viewers": 0, "tracks": [{"track": "ada", "speaker": "Ada"}]}]
    await until(lambda: len(scripted.published) == 2 and len(scripted.published[1].audio) > 2 * SECOND)
    second = scripted.published[1]
    assert second.query["session"] == "session-0"
    assert second.query["track"] == "ada"
    again = first.audio[scripted.resumes_at :]
    assert second.audio[: len(again)] == again
    await page.click("#stop")


async def test_a_session_that_is_gone_is_begun_anew_with_what_was_kept(speaking: Browser, scripted: Scripted) -> None:
    scripted.acknowledges = False
    page = await started(speaking, scripted)
    await until(lambda: len(scripted.published) == 1 and len(scripted.published[0].audio) > SECOND)
    first = scripted.published[0]
    await first.socket.send_json({"type": "ack", "offset": 6400})
    scripted.sessions.clear()
    await first.socket.close(1011)
    await until(lambda: len(scripted.published) == 2 and len(scripted.published[1].audio) > SECOND)
    second = scripted.published[1]
    assert "session" not in second.query
    assert second.audio[: SECOND // 2] == first.audio[6400 : 6400 + SECOND // 2]
    await expect(page.locator("#state")).to_have_text("Live")


async def test_a_server_that_does_not_keep_up_is_named(speaking: Browser, scripted: Scripted) -> None:
    scripted.acknowledges = False
    page = await started(speaking, scripted)
    await expect(page.locator("#state")).to_contain_text("behind")
    scripted.acknowledges = True
    await expect(page.locator("#state")).to_have_text("Live")


async def test_a_speaker_is_told_what_is_wrong_with_the_sound(speaking: Browser, scripted: Scripted) -> None:
    page = await started(speaking, scripted)
    await expect(page.locator("#state")).to_have_text("Live")
    await expect(page.locator("#warning")).to_be_hidden()
    await page.click("#stop")
    await expect(page.locator("#start")).to_be_visible()
    told = "The sound is very quiet, -55 dB of full scale. Turn the microphone up, or go nearer to it."
    scripted.warnings = [{"type": "warning", "code": "too_quiet", "message": told}]
    await page.click("#start")
    await expect(page.locator("#warning")).to_have_text(told)


async def test_muting_ends_the_utterance_and_sends_silence(speaking: Browser, scripted: Scripted) -> None:
    page = await started(speaking, scripted)
    await expect(page.locator("#state")).to_have_text("Live")
    [connection] = scripted.published
    await page.click("#mute")
    await until(lambda: connection.commands == ["finalize"])
    length = len(connection.audio) + SECOND // 2
    await until(lambda: len(connection.audio) > length + SECOND // 2)
    assert not any(connection.audio[length:])
    await expect(page.locator("#mute")).to_have_text("Unmute")
    await expect(page.locator("#quiet")).to_be_hidden()


async def test_waiting_for_the_last_captions_can_be_cut_short(speaking: Browser, scripted: Scripted) -> None:
    scripted.finishes = False
    page = await started(speaking, scripted)
    await expect(page.locator("#state")).to_have_text("Live")
    await page.click("#stop")
    await expect(page.locator("#state")).to_have_text("Waiting for the last captions…")
    await page.get_by_text("Stop waiting").click()
    await expect(page.locator("#start")).to_be_visible()


async def test_a_second_speaker_has_a_track_of_their_own(speaking: Browser, scripted: Scripted) -> None:
    scripted.rooms = [{"room": "hall", "viewers": 2, "tracks": [{"track": "zoe", "speaker": "Zoé"}]}]
    page = await started(speaking, scripted, speaker="Zoé", query="?token=t0")
    await expect(page.locator("#state")).to_have_text("Live")
    assert scripted.published[0].query["track"] == "zoe-2"
    assert scripted.published[0].query["token"] == "t0"  # noqa: S105 - no secret
    await expect(page.locator("#link")).to_have_attribute("href", f"{scripted.http}/r/hall?token=to-read-of-t0")


async def test_a_server_that_lets_nobody_in_is_named(speaking: Browser, scripted: Scripted) -> None:
    scripted.denial = ShuttingDown()
    page = await started(speaking, scripted)
    await expect(page.locator("#state")).to_contain_text("refuses the connection")
    await page.click("#stop")
    scripted.denial = None
    await expect(page.locator("#start")).to_be_visible(timeout=15_000)


async def test_a_refused_microphone_is_explained(scripted: Scripted) -> None:
    async with chromium("--deny-permission-prompts") as browser:
        page = await started(browser, scripted)
        await expect(page.locator("#problem")).to_contain_text("microphone", ignore_case=True)
        await expect(page.locator("#start")).to_be_enabled()
        assert scripted.published == []


async def test_an_insecure_page_says_so(scripted: Scripted) -> None:
    async with chromium("--host-resolver-rules=MAP captions.example 127.0.0.1") as browser:
        page = await opened(browser, f"http://captions.example:{scripted.port}/")
        await expect(page.locator("#problem")).to_contain_text("https")


async def test_a_wrong_room_is_named(browser: Browser, scripted: Scripted) -> None:
    page = await opened(browser, scripted.http)
    await page.fill("#room", "no spaces please")
    await page.click("#start")
    await expect(page.locator("#problem")).to_contain_text("letters, digits")
    await expect(page.locator("#room")).to_be_focused()


async def test_a_page_denied_its_storage_works(browser: Browser, scripted: Scripted) -> None:
    """As when it is embedded and third parties may store nothing."""
    page = await opened(browser, "about:blank")
    await page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    await page.goto(scripted.http)
    await expect(page.locator("#room")).not_to_have_value("")
    await page.click("#theme")
    await page.goto(f"{scripted.http}/r/hall")
    await expect(page.locator("#state")).to_have_text("connected")
