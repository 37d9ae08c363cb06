import numpy as np
import pytest

from bench.words.corpus import Recording
from bench.words.mistakes import KINDS, kind_of, mistakes, names_in


@pytest.mark.parametrize(
    ("said", "written", "kind"),
    [
        ("we start now", "we start now thanks for watching", "a phrase invented"),
        ("we start at ten sharp today", "we start", "a phrase lost"),
        ("this is not safe", "this is safe", "a negation changed"),
        ("you can't enter", "you can enter", "a negation changed"),
        ("give fifty milligrams", "give fifteen milligrams", "a number changed"),
        ("we met Ada there", "we met ether there", "a name changed"),
        ("the week before", "the weak before", "another word"),
        ("in the house", "in a house", "small words (the, of, and)"),
        ("every one came", "everyone came", "written apart or together"),
    ],
)
def test_a_mistake_has_the_gravest_kind_that_fits(said: str, written: str, kind: str) -> None:
    (mistake,) = mistakes(said, written)
    assert kind_of(mistake, frozenset({"ada"})) == kind
    assert kind in KINDS


def test_a_right_text_has_no_mistakes() -> None:
    assert not list(mistakes("It's two hundred, isn't it?", "it is 200 is not it"))


def test_words_where_nobody_speaks_are_invented() -> None:
    (mistake,) = mistakes("", "Thank you very much.")
    assert kind_of(mistake, frozenset()) == "a phrase invented"


def test_names_are_what_has_a_capital_inside_sentences() -> None:
    text = "Rain fell. Then Ishmael saw rain; Then he, Ahab, slept."
    assert names_in([Recording("r", "en", "read", np.zeros(0, np.int16), text)]) == {"ishmael", "ahab"}
