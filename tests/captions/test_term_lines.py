from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.term_lines import LineError, read_terms, write_terms
from captions.terms import MOST_TERMS, Term, tidied

SPELLINGS = st.text(min_size=1, max_size=50) | st.text(r"ab|\,# ", min_size=1, max_size=50)
TERMS = st.builds(
    Term,
    text=SPELLINGS,
    sounds_like=st.lists(SPELLINGS, max_size=5).map(tuple),
    weight=st.just(1.0) | st.floats(0.1, 10),
)


def test_a_line_is_a_term_what_it_sounds_like_and_its_weight() -> None:
    text = """\ufeff# names of the morning
Ada Lovelace

kubectl | cube control, kube cuddle | 2
  etcd|et cetera d
CTranslate2 || 0.5
C\\|C, Inc. | see pipe see\\, inc
\\#hashtag
etcd | the second does not count
"""
    assert read_terms(text) == (
        Term(text="Ada Lovelace"),
        Term(text="kubectl", sounds_like=("cube control", "kube cuddle"), weight=2),
        Term(text="etcd", sounds_like=("et cetera d",)),
        Term(text="CTranslate2", weight=0.5),
        Term(text="C|C, Inc.", sounds_like=("see pipe see, inc",)),
        Term(text="#hashtag"),
    )


@given(st.lists(TERMS, max_size=5))
def test_what_is_written_is_read(given_terms: list[Term]) -> None:
    assert read_terms(write_terms(given_terms)) == tidied(given_terms)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(LineError):
        read = read_terms(text)
        assert read == tidied(read)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x" * 51, "line 3: the term is longer than 50 characters"),
        ("| sound", "line 3: the term is missing"),
        ("a | b | c", "line 3: the weight must be 0.1 to 10"),
        ("a | b | 11", "line 3: the weight must be 0.1 to 10"),
        ("a | b | 1 | d", "line 3: write term | sounds like, sounds like | weight"),
        ("a | b,c,d,e,f,g", "line 3: sounds_like: has to be at most 5 values long"),
    ],
)
def test_a_line_that_is_wrong_is_named(line: str, problem: str) -> None:
    with pytest.raises(LineError) as error:
        read_terms(f"good\n\n{line}\nnever reached | | nonsense")
    assert str(error.value).startswith(problem)


def test_too_many_lines_are_refused() -> None:
    lines = [str(number) for number in range(MOST_TERMS)]
    assert len(read_terms("\n".join(lines))) == MOST_TERMS
    with pytest.raises(LineError, match="line 1001: there are more than 1000 terms"):
        read_terms("\n".join([*lines, "one more"]))


@pytest.mark.parametrize("piece", ["a", "\\", "\\|", ",", "1"])
def test_long_lines_take_no_longer_than_their_length(piece: str) -> None:
    for line in (piece * 100_000, f"a|{piece * 100_000}", f"a||{piece * 100_000}"):
        with suppress(LineError):
            read_terms(line)
