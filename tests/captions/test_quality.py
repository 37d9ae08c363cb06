import math

import pytest

from captions.quality import Arrival, measure, percentile
from livecaptions.talk import ReferenceWord
from tests.captions.messages import caption

SPOKEN = [ReferenceWord("So", 1.0, 1.2), ReferenceWord("the", 1.3, 1.4), ReferenceWord("log", 1.5, 2.0)]


def test_latencies_are_counted_from_the_words_in_the_audio() -> None:
    quality = measure(
        [
            Arrival(1.6, caption(revision=1, text="So a")),
            Arrival(2.1, caption(revision=2, text="So the lock.")),
            Arrival(2.9, caption(revision=3, text="so the log", final=True)),
        ],
        SPOKEN,
    )
    assert quality.word_shown == pytest.approx([0.4, 0.7, 0.9])
    assert quality.word_stable == pytest.approx([0.4, 0.7, 0.9])
    assert quality.first_partial == pytest.approx([0.6])
    assert quality.final == pytest.approx([0.4])
    assert quality.erasure == pytest.approx(2 / 3)
    assert quality.raw_erasure == pytest.approx(4 / 3)


def test_a_word_that_comes_and_goes_is_shown_early_and_stable_late() -> None:
    quality = measure(
        [
            Arrival(1.5, caption(revision=1, text="So the")),
            Arrival(1.8, caption(revision=2, text="So they")),
            Arrival(2.2, caption(revision=3, text="So the log", final=True)),
        ],
        SPOKEN,
    )
    assert quality.word_shown == pytest.approx([0.3, 0.1, 0.2])
    assert quality.word_stable == pytest.approx([0.3, 0.8, 0.2])


def test_words_that_were_misheard_are_not_timed() -> None:
    quality = measure([Arrival(2.0, caption(revision=1, text="So the dog", final=True))], SPOKEN)
    assert len(quality.word_shown) == 2


def test_utterances_without_a_final_do_not_count() -> None:
    quality = measure([Arrival(2.0, caption(revision=1, text="So the"))], SPOKEN)
    assert quality.word_shown == []
    assert quality.erasure == 0.0


def test_captions_that_came_late_or_together_are_taken_as_viewers_take_them() -> None:
    quality = measure(
        [
            Arrival(2.2, caption(revision=1, text="So they")),
            Arrival(2.2, caption(revision=3, text="So the log", final=True)),
            Arrival(2.4, caption(revision=2, text="So the lock")),
            Arrival(9.0, caption(revision=1, pass_="refined", text="So, the log", final=True)),
        ],
        SPOKEN,
    )
    assert quality.word_stable == pytest.approx([1.0, 0.8, 0.2])
    assert quality.final == [0.0]
    assert quality.erasure == pytest.approx(1 / 3)


def test_an_utterance_begins_and_ends_where_it_was_heard_though_its_words_were_misheard() -> None:
    heard = caption(revision=1, text="Oh the dog", start=0.9, final=True, end=2.1)
    quality = measure([Arrival(3.0, heard)], SPOKEN)
    assert quality.first_partial == pytest.approx([2.1])
    assert quality.final == pytest.approx([0.4])


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 95) == 95
    assert percentile([3.0], 95) == 3.0
    assert math.isnan(percentile([], 50))
