import numpy as np
import pytest

from captions.ports.engine import DecodeRequest, Hypothesis
from captions.words import Word
from inference.engine.second_look import better, is_doubtful
from inference.engine.windows import WhisperSettings

FINAL = DecodeRequest(pcm=np.zeros(4 * 16_000, dtype=np.int16), language="en", final=True)
PARTIAL = DecodeRequest(pcm=FINAL.pcm, language="en")


def decoded(text: str, likelihood: float = -0.3) -> Hypothesis:
    return Hypothesis(words=tuple(map(Word, text.split())), language="en", mean_log_probability=likelihood)


@pytest.mark.parametrize(
    ("text", "likelihood", "doubtful"),
    [
        ("Welcome to the conference.", -0.3, False),
        ("Welcome to the conference.", -0.45, False),
        ("Welcome to the conference.", -0.55, True),
        ("No, no, no, not that.", -0.3, True),
        ("Paris, Paris.", -0.3, True),
        ("", -3.0, False),
    ],
)
def test_improbable_and_repetitive_finals_are_looked_at_again(text: str, likelihood: float, *, doubtful: bool) -> None:
    found = decoded(text, likelihood)
    assert is_doubtful(FINAL, found, WhisperSettings()) is doubtful
    assert not is_doubtful(FINAL, found, WhisperSettings(gated=False))
    assert not is_doubtful(PARTIAL, found, WhisperSettings())


def test_of_two_improbable_texts_the_clearly_more_probable_counts() -> None:
    first = decoded("Peace on earth.", -1.0)
    assert better(FINAL, first, decoded("His on earth.", -0.97)) is first
    assert better(FINAL, first, decoded("His own birth.", -1.5)) is first
    assert better(FINAL, first, second := decoded("His own berth.", -0.6)) is second


def test_after_what_may_be_a_loop_the_second_look_counts() -> None:
    first = decoded("Yes we can. Yes we can. Yes we can.", -0.2)
    assert better(FINAL, first, second := decoded("Yes we can.", -0.5)) is second
