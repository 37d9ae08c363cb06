from contextlib import AsyncExitStack

import pytest

from livecaptions.processes import free_ports
from livecaptions.top.figures import Figures, figures_of
from livecaptions.top.target import Target
from livecaptions_client import AddressError
from tests.livecaptions.top.installation import Page, served

pytestmark = pytest.mark.server


class Looking:
    """Looks at pages in a time of its own."""

    def __init__(self, targets: list[Target]) -> None:
        self.targets = targets
        self._at = 0.0

    async def after(self, seconds: float) -> Figures:
        self._at += seconds
        for target in self.targets:
            await target.scrape(self._at)
        return figures_of(self.targets)


async def looking(stack: AsyncExitStack, *pages: Page, window: float = 60) -> Looking:
    targets = [Target(await stack.enter_async_context(served(page)), window=window, timeout=5) for page in pages]
    for target in targets:
        stack.push_async_callback(target.close)
    return Looking(targets)


def gateway() -> Page:
    page = Page()
    page.set("livecaptions_sessions", 3)
    page.set("livecaptions_viewers", 40, kind="ws")
    page.set("livecaptions_viewers", 2, kind="sse")
    page.count("livecaptions_audio_logged_seconds", 100)
    page.count("livecaptions_refusals", 5, code="too_many")
    return page


def worker(partition: str, behind: float) -> Page:
    page = Page()
    page.set("livecaptions_streams", 2)
    page.set("livecaptions_model_info", 1, model="tiny.en", device="cpu", compute_type="int8")
    page.set("livecaptions_audio_behind_seconds", behind, partition=partition)
    page.set("livecaptions_audio_behind_worst_seconds", behind)
    page.count("livecaptions_words_published", 50)
    page.count("livecaptions_words_erased", 40)
    page.observe("livecaptions_word_shown_seconds", *[4.0] * 100)
    return page


async def test_rates_and_quantiles_are_of_the_window_and_of_all_targets() -> None:
    ears, first, second = gateway(), worker("0", 0.5), worker("7", 2.5)
    async with AsyncExitStack() as stack:
        look = await looking(stack, ears, first, second)
        early = await look.after(0)
        ears.count("livecaptions_audio_logged_seconds", 15)
        ears.count("livecaptions_refusals", 2, code="too_many")
        for page in (first, second):
            page.count("livecaptions_words_published", 100)
            page.count("livecaptions_words_erased", 10)
        first.observe("livecaptions_word_shown_seconds", *[0.3] * 60)
        second.observe("livecaptions_word_shown_seconds", *[1.2] * 40)
        late = await look.after(10)
    assert (early.sessions, early.viewers, early.streams) == (3, 42, 4)
    assert (early.words_per_minute, early.word_shown_p50_seconds, early.erasure, early.refusals) == (
        None,
        None,
        None,
        {},
    )
    assert late.window_seconds == 10
    assert late.speech_share == 1.5
    assert late.words_per_minute == 1200
    assert late.erasure == 0.1
    assert late.word_shown_p50_seconds == pytest.approx(0.2 + 0.2 * 50 / 60)
    assert late.word_shown_p95_seconds == pytest.approx(0.9 + 0.6 * 35 / 40)
    assert late.refusals == {"too_many": 2}
    assert late.audio_behind_seconds == {"7": 2.5, "0": 0.5}
    assert late.audio_behind_worst_seconds == 2.5
    assert [target.roles for target in late.targets] == [("gateway",), ("worker",), ("worker",)]
    assert late.targets[1].model == "tiny.en"


async def test_what_is_older_than_the_window_is_forgotten() -> None:
    page = worker("0", 0)
    async with AsyncExitStack() as stack:
        look = await looking(stack, page, window=20)
        await look.after(0)
        page.observe("livecaptions_word_shown_seconds", *[0.1] * 9)
        assert (await look.after(10)).word_shown_p95_seconds == pytest.approx(0.19)
        page.observe("livecaptions_word_shown_seconds", 1.0)
        await look.after(10)
        assert (await look.after(11)).word_shown_p50_seconds == pytest.approx(1.2)


async def test_a_restart_is_told_and_loses_nothing() -> None:
    page = worker("0", 0)
    async with AsyncExitStack() as stack:
        look = await looking(stack, page)
        await look.after(0)
        page.restart()
        page.set("livecaptions_streams", 1)
        page.count("livecaptions_words_published", 30)
        figures = await look.after(30)
    assert (figures.restarts, figures.targets[0].restarts) == (1, 1)
    assert figures.words_per_minute == 60


async def test_who_does_not_answer_is_said_and_the_others_are_shown() -> None:
    ears, failing = gateway(), worker("0", 9.0)
    async with AsyncExitStack() as stack:
        look = await looking(stack, ears, failing)
        assert (await look.after(0)).streams == 2
        failing.status = 500
        look.targets.append(Target(f"127.0.0.1:{free_ports(1)[0]}", window=60, timeout=5))
        figures = await look.after(10)
        assert figures.unreachable == 2
        assert [target.error is None for target in figures.targets] == [True, False, False]
        assert figures.targets[1].error == "HTTP 500"
        assert (figures.sessions, figures.streams, figures.audio_behind_worst_seconds) == (3, None, None)
        failing.status = 200
        figures = await look.after(10)
        assert (figures.unreachable, figures.streams, figures.restarts) == (1, 2, 0)
        await look.targets[-1].close()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("http://a:1/", "http://a:1"),
        ("wss://a/captions", "https://a/captions"),
        ("https://a/captions/metrics", "https://a/captions"),
    ],
)
async def test_addresses_are_taken_as_people_write_them(given: str, url: str) -> None:
    target = Target(given, window=60, timeout=5)
    assert target.url == url
    await target.close()


def test_what_is_no_address_is_said() -> None:
    with pytest.raises(AddressError, match="no server's address"):
        Target("ftp://x", window=60, timeout=5)
