import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecaptions.top.scrape import Scrape, Series
from livecaptions.top.window import START, Window

HITS: Series = ("livecaptions_hits_total", frozenset({("code", "a")}))


def scrape(at: float, counters: dict[Series, float], started: float | None = None) -> Scrape:
    return Scrape(at, counters, {} if started is None else {START: started})


@given(
    st.lists(
        st.one_of(st.integers(0, 50).map(lambda hits: ("count", hits)), st.just(("restart", 0)), st.just(("look", 0)))
    )
)
def test_what_was_counted_is_found_across_restarts(happenings: list[tuple[str, int]]) -> None:
    """All but what a process counted after the last look at it, before it ended: nobody can know that."""
    window = Window(math.inf)
    value, started, at, known, unseen = 0, 0, 0.0, 0, 0
    window.add(scrape(at, {HITS: 0.0}, started))
    for kind, hits in happenings:
        at += 1
        if kind == "count":
            value, unseen = value + hits, unseen + hits
        elif kind == "restart":
            value, unseen, started = 0, 0, started + 1
        else:
            window.add(scrape(at, {HITS: float(value)}, started))
            known, unseen = known + unseen, 0
    assert (window.increase("livecaptions_hits_total") or 0) == known
    assert window.increase("livecaptions_hits_total", code="b") is None


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 10))
def test_it_forgets_what_is_older_than_itself(steps: list[int], length: int) -> None:
    window, total = Window(length), 0
    window.add(scrape(0, {HITS: 0}))
    for at, hits in enumerate(steps, 1):
        total += hits
        window.add(scrape(at, {HITS: total}))
    kept = steps[-length:]
    assert window.increase("livecaptions_hits_total") == sum(kept)
    assert window.seconds == len(kept)
    assert window.rate("livecaptions_hits_total") == pytest.approx(sum(kept) / len(kept))


def test_a_counter_that_went_down_began_anew() -> None:
    window = Window(60)
    for at, value in enumerate((10, 12, 5)):
        window.add(scrape(at, {HITS: value}))
    assert (window.increase("livecaptions_hits_total"), window.restarts) == (7, 1)


def test_another_start_is_a_restart_though_counters_grew() -> None:
    window = Window(60)
    window.add(scrape(0, {HITS: 1}, started=100.0))
    window.add(scrape(1, {HITS: 3}, started=200.0))
    assert (window.increase("livecaptions_hits_total"), window.restarts) == (3, 1)


def test_a_label_seen_for_the_first_time_counts_from_zero() -> None:
    window = Window(60)
    window.add(scrape(0, {}))
    window.add(scrape(1, {HITS: 4}))
    assert window.by_label("livecaptions_hits_total", "code") == {"a": 4}


def test_one_look_tells_no_rates() -> None:
    window = Window(60)
    window.add(scrape(0, {HITS: 4}))
    assert (window.increase("livecaptions_hits_total"), window.rate("livecaptions_hits_total")) == (None, None)
    assert (window.seconds, window.restarts) == (0, 0)


def test_a_histogram_is_what_was_observed_lately() -> None:
    def buckets(first: float, both: float) -> dict[Series, float]:
        name = "livecaptions_final_seconds_bucket"
        return {(name, frozenset({("le", "1.0")})): first, (name, frozenset({("le", "+Inf")})): both}

    window = Window(60)
    window.add(scrape(0, buckets(100, 200)))
    window.add(scrape(1, buckets(103, 204)))
    assert window.buckets("livecaptions_final_seconds") == {1.0: 3, math.inf: 4}
