"""What was shown of an utterance: the same answers as the measure of the benchmarks gives."""

import random
from datetime import UTC, datetime

import pytest

from captions.history import MAX_VERSIONS, History
from captions.messages import CaptionMessage
from captions.quality import Arrival, erased, measure, places
from inference.engine.scripted import ScriptedWord


def shown(*versions: tuple[str, float]) -> tuple[History, list[int]]:
    history = History()
    return history, [history.show(text.split(), at) for text, at in versions]


def test_a_word_was_shown_when_it_came_first_even_if_it_went_and_came_back() -> None:
    history, _ = shown(("the log", 1.0), ("the dog is", 2.0), ("the log is here", 3.0))
    assert history.first_shown(["the", "log", "is", "here"]) == [1.0, 1.0, 2.0, 3.0]


def test_a_word_that_was_never_shown_has_no_time() -> None:
    history, _ = shown(("one", 1.0), ("one two", 2.0))
    assert history.first_shown(["one", "two", "three"]) == [1.0, 2.0, None]


def test_what_is_taken_back_is_counted_from_the_first_word_that_changes() -> None:
    _, taken_back = shown(("the log", 1.0), ("the dog is", 2.0), ("the dog is", 2.5), ("a dog", 3.0))
    assert taken_back == [0, 1, 0, 3]


def test_what_another_worker_showed_was_shown_and_nobody_knows_when() -> None:
    assert History().empty
    history = History()
    history.recall(["the", "log"])
    assert not history.empty
    assert history.show(["the", "dog", "is"], 5.0) == 1
    assert history.first_shown(["the", "log", "is"]) == [None, None, 5.0]


def test_an_empty_partial_shows_nothing() -> None:
    history, _ = shown(("", 1.0))
    assert history.empty
    history.show(["word"], 2.0)
    assert history.first_shown(["word"]) == [2.0]


def test_a_history_is_bounded_and_still_tells_roughly_when() -> None:
    history = History()
    final = [f"w{n}" for n in range(MAX_VERSIONS + 100)]
    for n in range(len(final)):
        history.show(final[: n + 1], float(n))
    assert len(history._versions) <= MAX_VERSIONS
    for n, at in enumerate(history.first_shown(final)):
        assert at is not None
        assert n <= at <= n + 1


@pytest.mark.parametrize("seed", range(20))
def test_a_word_shown_is_what_the_benchmarks_measure(seed: int) -> None:
    rng = random.Random(seed)
    final = rng.choices(["the", "log", "is", "spine"], k=rng.randint(1, 9))
    versions = [rng.choices(final, k=rng.randint(0, len(final))) for _ in range(4)]
    versions = [*versions, final]
    history = History()
    taken_back = sum(history.show(words, float(n)) for n, words in enumerate(versions))
    caption = CaptionMessage(
        room="hall", track="main", utterance=0, pass_="live", revision=0, final=False, language="en",
        start=0.0, end=1.0, started_at=datetime.fromtimestamp(0, UTC), text="", stable=0,
    )  # fmt: skip
    arrivals = [
        Arrival(
            float(n),
            caption.model_copy(
                update={"text": " ".join(words).title(), "revision": n, "final": n == len(versions) - 1}
            ),
        )
        for n, words in enumerate(versions)
    ]
    quality = measure(arrivals, [ScriptedWord(word, 0.0, 0.0) for word in final])
    assert history.first_shown(final) == quality.word_shown
    assert taken_back / len(final) == quality.erasure


@pytest.mark.parametrize("seed", range(20))
def test_places_are_in_order_and_as_many_as_can_be(seed: int) -> None:
    rng = random.Random(seed)
    final, other = (rng.choices("abcd", k=rng.randint(0, 12)) for _ in range(2))
    found = sorted(places(final, other))
    rest = iter(other)
    assert all(final[place] in rest for place in found), "not in the order of what was shown"
    same = len(final) - erased(final, other)
    assert found[:same] == list(range(same))
