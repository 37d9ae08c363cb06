"""The client in a page of another origin, as docs/browser-client.md shows it."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from captions.access import Principal, Right
from captions.errors import Internal, TakenOver, Unauthorized
from captions.limits import Allowance
from captions.track import RoomId
from livecaptions.clock import SystemClock
from streamer.usage import Usage
from streamer.web.refusals import refuse
from tests.browser.conftest import opened
from tests.browser.foreign import page_elsewhere
from tests.browser.scripted import SECOND, Scripted, caption, track, until
from tests.browser.scripted import scripted as scripted_server
from tests.streamer.speaking import say
from tests.streamer.system import principal, running
from tests.support import script_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DOCS = Path(__file__).parents[2] / "docs" / "browser-client.md"
FRAMES, VIEWS, PUBLISHES = re.findall(r"```html\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

CLIENT = """async ([url, room, options]) => {
  window.client = await import(url);
  window.captions = client.view(room, options);
  window.told = [];
  for (const type of ["caption", "track", "live", "gap", "reconnecting", "error"]) {
    captions.addEventListener(type, ({ detail }) => told.push([type, detail?.text ?? detail?.code ?? null]));
  }
}"""


def example(html: str, server: str) -> str:
    return html.replace("https://captions.example.org", server).replace("main-hall", "hall")


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(speaking: Browser) -> AsyncIterator[Page]:
    """An empty page."""
    async with page_elsewhere() as url:
        page = await opened(speaking, url)
        yield page
        await page.close()


async def view(page: Page, server: Scripted, /, **options: object) -> None:
    await page.evaluate(CLIENT, [f"{server.http}/static/client.js", "hall", options])


async def told(page: Page, last: list[str | None]) -> list[Any]:
    """What the view told, up to this event."""
    await page.wait_for_function("(last) => told.some((event) => String(event) === String(last))", arg=last)
    events: list[Any] = await page.evaluate("told")
    return events


async def test_the_example_shows_the_captions_of_a_real_server(browser: Browser) -> None:
    async with running([], working=False, allowed_origins=("*",)) as system:
        await say(system, utterance=1, final=True, text="Said before.")
        async with page_elsewhere(example(VIEWS, system.http)) as url:
            page = await opened(browser, url)
            await expect(page.locator("p")).to_have_text(["Said before."])
            await say(system, utterance=2, revision=1, text="being sed", start=5.0)
            await expect(page.locator("p")).to_have_text(["Said before.", "being sed"])
            [viewer] = system.gateway.hub.room(RoomId("hall")).audience
            viewer.end(Internal("lost"))
            await say(system, utterance=2, revision=2, final=True, text="Being said.", start=5.0)
            await expect(page.locator("p")).to_have_text(["Said before.", "Being said."])
            await page.close()


async def test_the_example_frames_the_captions(browser: Browser) -> None:
    async with running([], working=False) as system:
        await say(system, utterance=1, final=True, text="Said before.")
        async with page_elsewhere("<!doctype html>" + example(FRAMES, system.http)) as url:
            page = await opened(browser, url)
            await expect(page.frame_locator("iframe").locator("#subtitles")).to_have_text("Said before.")
            await page.close()


async def test_the_example_publishes_the_microphone(speaking: Browser, scripted: Scripted) -> None:
    async with page_elsewhere(example(PUBLISHES, scripted.http)) as url:
        page = await opened(speaking, url)
        await page.get_by_text("Speak").click()
        await until(lambda: len(scripted.published) == 1 and len(scripted.published[0].audio) > SECOND)
        [first] = scripted.published
        assert first.query == {"sample_rate": "16000", "speaker": "Ada", "track": "ada"}
        assert len(set(first.audio)) > 100, "the microphone's sound, not silence"
        await first.socket.send_json(caption("hear me"))
        await expect(page.locator("output")).to_have_text("hear me")
        scripted.resumes_at = len(first.audio)
        await first.socket.close(1011)
        await until(lambda: len(scripted.published) == 2 and len(scripted.published[1].audio) > 0)
        assert scripted.published[1].query["session"] == "session-0"
        await page.get_by_text("Stop").click()
        await until(lambda: scripted.published[1].commands == ["end"])
        await page.close()


@pytest.mark.parametrize(
    ("principal", "code"),
    [
        (Principal(rooms=("*",), rights=frozenset({Right.PUBLISH}), credential="a"), "quota_exceeded"),
        (Principal(rooms=("*",), rights=frozenset({Right.VIEW})), "forbidden"),
    ],
)
async def test_a_publisher_whose_token_does_not_let_it_speak_is_told(
    elsewhere: Page, principal: Principal, code: str
) -> None:
    usage = Usage(SystemClock())
    usage.add("key:a", 60)
    limits = Allowance(minutes=1)
    async with running([], working=False, tokens={"t": principal}, usage=usage, key_limits=limits) as system:
        told = await elsewhere.evaluate(
            """async (server) => {
              const { publish } = await import(`${server}/static/client.js`);
              const publisher = publish("hall", { source: "pcm", token: "t" });
              return publisher.finished.catch(({ code, message }) => [code, message]);
            }""",
            system.http,
        )
        assert told[0] == code
        assert "minutes" in told[1] or "right to publish" in told[1]


@pytest.mark.parametrize(("endpointing", "utterances"), [(None, 2), (2.5, 1)])
async def test_samples_of_a_page_are_captioned_by_a_real_server(
    elsewhere: Page, endpointing: float | None, utterances: int
) -> None:
    script, pcm = script_of(2)
    async with running(script, tokens={"t0": principal("hall", "publish", "view")}) as system:
        finals, done = await elsewhere.evaluate(
            """async ([server, audio, endpointing]) => {
              const { publish } = await import(`${server}/static/client.js`);
              const publisher = publish("hall", { source: "pcm", track: "file", endpointing, token: "t0" });
              const finals = [];
              publisher.addEventListener("caption", ({ detail }) => detail.final && finals.push(detail));
              publisher.send(Uint8Array.from(atob(audio), (byte) => byte.charCodeAt(0)));
              return [finals, await publisher.end()];
            }""",
            [system.http, base64.b64encode(pcm.tobytes()).decode(), endpointing],
        )
    assert " ".join(final["text"] for final in finals).split() == [word.text for word in script]
    assert [final["model"] for final in finals] == ["scripted@000000000000"] * utterances
    assert done["offset"] == len(pcm) * 2


async def test_late_and_repeated_messages_are_dropped(elsewhere: Page, scripted: Scripted) -> None:
    scripted.history = [track("live", seq=1), caption("One.", revision=4, seq=2)]
    await view(elsewhere, scripted)
    await told(elsewhere, ["live", None])
    await scripted.send(
        track("live", seq=1),
        caption("one", revision=3),
        caption("two", utterance=2, revision=2),
        caption("too", utterance=2, revision=1),
        caption("Uno.", seq=3) | {"pass": "edited"},
        caption("One.", revision=9, seq=4),
        caption("end", utterance=3),
    )
    assert await told(elsewhere, ["caption", "end"]) == [
        ["track", None], ["caption", "One."], ["live", None],
        ["caption", "two"], ["caption", "Uno."], ["caption", "end"],
    ]  # fmt: skip


async def test_a_lost_view_goes_on_after_what_it_saw(elsewhere: Page, scripted: Scripted) -> None:
    scripted.history = [caption("One.", seq=7)]
    await view(elsewhere, scripted, history=3, tracks=["main", "guest"], partials=False)
    await told(elsewhere, ["live", None])
    scripted.history = [
        {"type": "gap", "from": 7, "to": 0},
        caption("One.", seq=7),
        caption("Two.", utterance=2, seq=8),
    ]
    await scripted.drop_viewers()
    assert (await told(elsewhere, ["caption", "Two."]))[2:5] == [
        ["reconnecting", None], ["gap", None], ["caption", "Two."],
    ]  # fmt: skip
    assert [seen.get("after") for seen in scripted.views] == [None, "7"]
    assert scripted.views[0]["history"] == "3"
    assert scripted.views[0]["partials"] == "false"


async def test_another_server_and_a_token_can_be_named(elsewhere: Page, scripted: Scripted) -> None:
    async with scripted_server() as other:
        await view(elsewhere, scripted, server=other.http, token="t0")
        await told(elsewhere, ["live", None])
        assert scripted.views == []
        assert other.views == [{"token": "t0", "history": "200"}]
        under = await elsewhere.evaluate(
            "client.transcriptUrl('hall', 'vtt', { server: 'https://example.org/captions', token: 't0' }).href"
        )
        assert under == "https://example.org/captions/v1/rooms/hall/transcript?token=t0&format=vtt"
        await elsewhere.evaluate("captions.close()")
        await until(lambda: not other.viewers)


async def test_a_refusal_for_good_ends_the_view(elsewhere: Page, scripted: Scripted) -> None:
    scripted.denial = Unauthorized("a token is needed")
    await view(elsewhere, scripted)
    assert await told(elsewhere, ["error", "unauthorized"]) == [["error", "unauthorized"]]
    thrown = await elsewhere.evaluate("(async () => { for await (const _ of captions); })().catch((e) => e.message)")
    assert thrown == "a token is needed"
    assert len(scripted.views) == 1


async def test_who_leaves_the_loop_leaves_the_room(elsewhere: Page, scripted: Scripted) -> None:
    scripted.history = [caption("One.", seq=1), caption("Two.", utterance=2, seq=2)]
    first = await elsewhere.evaluate(
        """async (server) => {
          const { view } = await import(`${server}/static/client.js`);
          for await (const caption of view("hall")) return caption.text;
        }""",
        scripted.http,
    )
    assert first == "One."
    await until(lambda: not scripted.viewers and len(scripted.views) == 1)


async def test_a_stream_is_published_muted_and_left_running(elsewhere: Page, scripted: Scripted) -> None:
    await elsewhere.evaluate(
        """async (server) => {
          const { publish } = await import(`${server}/static/client.js`);
          const context = new AudioContext();
          const tone = new OscillatorNode(context), to = new MediaStreamAudioDestinationNode(context);
          tone.connect(to);
          tone.start();
          window.stream = to.stream;
          window.publisher = publish("hall", { source: stream, track: "tone", vocabulary: ["Ada", "log"] });
        }""",
        scripted.http,
    )
    await until(lambda: len(scripted.published) == 1 and any(scripted.published[0].audio[-SECOND:]))
    [connection] = scripted.published
    assert connection.query["track"] == "tone"
    await elsewhere.evaluate("publisher.mute()")
    await until(lambda: connection.commands == ["finalize"])
    length = len(connection.audio)
    await until(lambda: len(connection.audio) > length + SECOND // 2)
    assert not any(connection.audio[length:])
    await until(lambda: "keepalive" in connection.commands)
    await elsewhere.evaluate("publisher.unmute()")
    await until(lambda: any(connection.audio[-SECOND // 2 :]))
    done = await elsewhere.evaluate("publisher.end()")
    assert done["type"] == "done"
    assert await elsewhere.evaluate("stream.getTracks()[0].readyState") == "live"


FAILS = """async ([server, room, track]) => {
  const { publish } = await import(`${server}/static/client.js`);
  const publisher = publish(room, { source: "pcm", track });
  const told = [];
  publisher.addEventListener("error", ({ detail }) => told.push(detail.code));
  return await publisher.finished.catch((error) => [...told, error.code]);
}"""


@pytest.mark.parametrize(("room", "name"), [("no spaces", "main"), ("hall", "a/b")])
async def test_a_publisher_is_told_of_a_wrong_name(elsewhere: Page, scripted: Scripted, room: str, name: str) -> None:
    assert await elsewhere.evaluate(FAILS, [scripted.http, room, name]) == ["bad_request", "bad_request"]
    assert scripted.published == []


async def test_a_page_without_a_token_is_told_that_it_may_not_use_an_open_server(elsewhere: Page) -> None:
    async with running([], working=False) as system:
        told = await elsewhere.evaluate(
            """async (server) => {
              const { publish, view } = await import(`${server}/static/client.js`);
              const both = [publish("hall", { source: "pcm" }), view("hall")];
              both[0].finished.catch(() => null);
              return await Promise.all(both.map((either) => new Promise((resolve) => {
                either.addEventListener("error", ({ detail }) => resolve([detail.code, detail.message]));
              })));
            }""",
            system.http,
        )
        origin = await elsewhere.evaluate("origin")
        assert [code for code, _ in told] == ["forbidden", "forbidden"]
        for _, message in told:
            assert "list this origin in allowed_origins" in message
            assert origin in message
        assert system.gateway.sessions.held == []


async def test_a_publisher_is_told_why_the_server_lets_it_go(elsewhere: Page, scripted: Scripted) -> None:
    publishing = asyncio.create_task(elsewhere.evaluate(FAILS, [scripted.http, "hall", "main"]))
    await until(lambda: len(scripted.published) == 1)
    [connection] = scripted.published
    await refuse(connection.socket, TakenOver("another publisher took the track"))
    assert await publishing == ["taken_over", "taken_over"]
