import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.words import Word, fold, join, written_with_spaces


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Conference.", "conference"),
        ("don't", "dont"),
        ("ÉTÉ,", "été"),
        ("...", ""),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text: str, folded: str) -> None:
    assert Word(text).folded == folded


@given(st.text())
def test_nothing_but_letters_marks_and_digits_is_compared(text: str) -> None:
    assert not {unicodedata.category(c)[0] for c in fold(text)} & set("PSZC")


@pytest.mark.parametrize(
    ("language", "spaced"), [("en", True), ("de-AT", True), ("ja", False), ("zh-Hant", False), ("TH", False)]
)
def test_languages_know_whether_they_write_spaces(language: str, spaced: bool) -> None:
    assert written_with_spaces(language) is spaced


def test_words_are_joined_as_the_language_writes_them() -> None:
    assert join([Word("So"), Word("the"), Word("log.")], "en") == "So the log."
    assert join([Word("字"), Word("幕"), Word("。")], "ja") == "字幕。"
    assert join([], "en") == ""


def test_a_word_is_timed_when_both_times_are_known() -> None:
    assert Word("a", 0.0, 0.1).timed
    assert not Word("a", 0.0).timed
    assert not Word("a").timed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("İstanbul", "istanbul"),
        ("DIŞARI", "d\u0131şar\u0131"),
        ("مُحَمَّد", "محمد"),
        ("كتـــاب", "كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("va\u00a0?", "va"),
        ("१२३", "१२३।"),
    ],
)
def test_one_word_written_in_two_ways_is_one_word(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("की", "का"), ("กิน", "กัน"), ("é", "e"), ("が", "か"), ("ü", "u")])
def test_marks_that_make_another_word_count(one: str, other: str) -> None:
    assert fold(one) != fold(other)
