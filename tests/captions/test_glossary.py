"""Terms found by their sound, and words corrected: the pure core."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.corrections import corrected, respelt
from captions.glossary import Glossary, glossary_of
from captions.sounds import MOST_PAIRS, Sounds, sound
from captions.terms import Term
from captions.words import Word

TERMS = (
    Term(text="kubectl", sounds_like=("cube control",)),
    Term(text="Levenshtein"),
    Term(text="Poisson"),
    Term(text="gRPC"),
    Term(text="softmax"),
    Term(text="Alzheimer's"),
    Term(text="US"),
    Term(text="atorvastatin"),
    Term(text="Прометей"),
)
GLOSSARY = Glossary(TERMS)


def said(text: str, confidence: float | None = 0.4) -> tuple[Word, ...]:
    return tuple(Word(word, i * 0.5, i * 0.5 + 0.4, confidence) for i, word in enumerate(text.split()))


def shown(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


@pytest.mark.parametrize(
    ("heard", "term"),
    [
        ("with Qt control before lunch", "kubectl"),
        ("by their love and esteem distance", "Levenshtein"),
        ("she takes at her best at in every evening", "atorvastatin"),
        ("follow a poison process", "Poisson"),
    ],
)
def test_what_words_may_have_been_is_a_candidate(heard: str, term: str) -> None:
    assert GLOSSARY.candidates(said(heard))[0].text == term


def test_a_term_that_was_heard_is_no_candidate() -> None:
    assert "Poisson" not in [term.text for term in GLOSSARY.candidates(said("a Poisson process"))]


def test_a_likelier_term_comes_first() -> None:
    plain = Glossary([Term(text="Marlow"), Term(text="Barlow")])
    weighed = Glossary([Term(text="Marlow"), Term(text="Barlow", weight=10)])
    assert plain.candidates(said("harlow spoke"))[0].text == "Marlow"
    assert weighed.candidates(said("harlow spoke"))[0].text == "Barlow"


def test_few_candidates_are_asked_for() -> None:
    many = Glossary([Term(text=f"kub{vowel}ctl{end}") for vowel in "aeiou" for end in ("", "s", "a", "o")])
    assert len(many.candidates(said("cubectl"))) == 8


def test_few_pairs_are_compared_closely_however_many_terms_sound_alike() -> None:
    alike = [Term(text=f"kub{vowel}ctl{one}{other}") for vowel in "aeiou" for one in "aeiou" for other in "aeiouhwy"]
    heard = ["cubectl", "kubectl", "cube", "control"] * 20
    runs = [sound(" ".join(heard[start : start + length])) for start in range(80) for length in (1, 2, 3, 4)]
    pairs = Sounds([sound(term.text) for term in alike]).near(runs)
    assert len(alike) > 2 * MOST_PAIRS
    assert Counter(pairs.others.tolist()).most_common(1)[0][1] == MOST_PAIRS


def test_the_nearest_of_many_that_sound_alike_is_found() -> None:
    many = [f"kubectl{end}{more}" for end in "bdfgjklmnp" for more in "bdfgjklmnp"]
    sounds = [sound(text) for text in (*many, "kubectl")]
    found = Sounds(sounds).near([sound("cubectl")])
    assert int(found.sounds[found.similarities.argmax()]) == len(many)


def test_the_index_is_built_once_for_the_same_terms() -> None:
    again = tuple(Term(text=term.text, sounds_like=term.sounds_like) for term in TERMS)
    assert glossary_of(TERMS) is glossary_of(again)


@pytest.mark.parametrize(
    ("heard", "confidence", "text"),
    [
        ("We ran cube control, then left.", 0.95, "We ran kubectl, then left."),
        ("a Lavenstein distance", 0.4, "a Levenshtein distance"),
        ("Lavenstein's distance", 0.3, "Levenshtein's distance"),
        ("over GRPC streams", 0.9, "over gRPC streams"),
        ("a soft max.", 0.9, "a softmax."),
        ("Softmax is last", 0.9, "Softmax is last"),
        # left alone
        ("a poison for rats", 0.9, "a poison for rats"),
        ("a Lavenstein distance", 0.9, "a Lavenstein distance"),
        ("a Lavenstein distance", None, "a Lavenstein distance"),
        ("they told us so", 0.3, "they told us so"),
        ("the cube of the control group", 0.7, "the cube of the control group"),
        ("kubectl is a Poisson process", 0.2, "kubectl is a Poisson process"),
    ],
)
def test_near_misses_are_corrected_and_nothing_else(heard: str, confidence: float | None, text: str) -> None:
    assert shown(corrected(said(heard, confidence), GLOSSARY)) == text


def test_a_correction_has_the_times_of_what_was_heard_and_says_what_that_was() -> None:
    words = corrected(said("ran (cube control), then", 0.9), GLOSSARY)
    assert words[1] == Word("(kubectl),", 0.5, 1.4, 1.0, corrected_from="cube control")


def test_words_of_partials_change_their_spelling_alone() -> None:
    words = said("over GRPC, cube control", None)
    assert shown(respelt(words, GLOSSARY)) == "over gRPC, cube control"


def test_a_word_of_lines_alone_stays() -> None:
    words = (Word("\N{OVERLINE}" * 4),)
    assert words[0].folded
    assert respelt(words, Glossary([Term(text="\N{DASHED OVERLINE}" * 4)])) == words


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("(Lavenstein's),", "(Levenshtein's),"),
        ('"Lavenstein."', '"Levenshtein."'),
        ("Alzheimar's?", "Alzheimer's?"),
        ("Alzheimar\N{RIGHT SINGLE QUOTATION MARK}s", "Alzheimer's"),
    ],
)
def test_a_correction_has_the_signs_around_what_was_heard(heard: str, text: str) -> None:
    assert shown(corrected(said(heard, 0.3), GLOSSARY)) == text


heard_words = st.lists(
    st.builds(
        lambda text, confidence: (text, confidence),
        st.one_of(
            st.sampled_from(
                ["cube", "control,", "poison", "us", "gRPC", "levenstine", "at", "her", "best", "...", "the"]
            ),
            st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip())),
        ),
        st.one_of(st.none(), st.floats(0, 1)),
    ),
    max_size=14,
)


@given(heard_words)
def test_a_correction_loses_no_word_and_keeps_times_in_order(heard: list[tuple[str, float | None]]) -> None:
    words = tuple(Word(text, i * 0.5, i * 0.5 + 0.4, confidence) for i, (text, confidence) in enumerate(heard))
    found = corrected(words, GLOSSARY)
    assert found == corrected(words, GLOSSARY)
    at = 0
    for word in found:
        if word.corrected_from is None:
            assert word == words[at]
            at += 1
        else:
            run = 1
            while words[at + run - 1].end != word.end:
                run += 1
            assert word.start == words[at].start
            assert run <= 4
            assert any(term.text in word.text for term in TERMS)
            at += run
    assert at == len(words)


@given(heard_words)
def test_partials_compare_as_before(heard: list[tuple[str, float | None]]) -> None:
    words = tuple(Word(text) for text, _ in heard)
    assert [word.folded for word in respelt(words, GLOSSARY)] == [word.folded for word in words]


@given(st.lists(st.text(min_size=1, max_size=50), max_size=8))
def test_any_spelling_may_be_a_term(texts: list[str]) -> None:
    glossary = Glossary([Term(text=text) for text in texts])
    corrected(said(" ".join(texts)), glossary)
    assert glossary.candidates(()) == ()


def test_no_term_comes_of_nothing() -> None:
    assert corrected((), GLOSSARY) == ()
    assert GLOSSARY.candidates(said("... !")) == ()
    assert Glossary([]).candidates(said("cube control")) == ()
