import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine import WhisperEngine
from inference.engine.prompt import LONGEST_PAST, Prompter


@pytest.fixture(scope="module")
def prompter(tiny: WhisperEngine) -> Prompter:
    return tiny._prompter


def written(prompter: Prompter, past: list[int]) -> str:
    text: str = prompter.tokenizer.decode(past[1:])
    return text


def test_nothing_to_tell_is_no_prompt(prompter: Prompter) -> None:
    assert prompter.past((), "") == []
    assert prompter.past(("", " "), "  ") == []


def test_the_glossary_comes_first_then_the_end_of_what_was_said(prompter: Prompter) -> None:
    past = prompter.past(("Kubernetes", "aiokafka"), "we put it on the log and it stays there for good")
    assert past[0] == prompter.tokenizer.sot_prev
    assert written(prompter, past).startswith(" Kubernetes, aiokafka.")
    assert written(prompter, past).endswith("it stays there for good")


def test_terms_that_do_not_fit_are_left_out_whole(prompter: Prompter) -> None:
    terms = tuple(f"Proper Noun Number {number}" for number in range(100))
    told = written(prompter, prompter.past(terms, "and this was said"))
    kept = told.split(".")[0].strip().split(", ")
    assert 10 < len(kept) < 100
    assert kept == list(terms[: len(kept)])
    assert told.endswith("and this was said")


def test_contexts_are_cut_to_few_lengths_at_their_beginning(prompter: Prompter) -> None:
    words = [f"word{number}" for number in range(300)]
    lengths = set()
    for count in range(1, 300):
        past = prompter.past((), " ".join(words[:count]))
        lengths.add(len(past))
        if past:
            assert written(prompter, past).endswith(words[count - 1])
    assert len(lengths) <= 16
    assert max(lengths) == 1 + LONGEST_PAST


@settings(max_examples=50)
@given(st.lists(st.text(max_size=50), max_size=20), st.text(max_size=400))
def test_whatever_is_told_fits(prompter: Prompter, vocabulary: list[str], context: str) -> None:
    past = prompter.past(vocabulary, context)
    assert len(past) <= 1 + LONGEST_PAST
    assert all(token < prompter.tokenizer.eot for token in past[1:]), "text can open no task"
