"""What ends a sentence in the scripts that people write."""

import pytest

from captions.lines import LINE_WIDTH, cues, line_width, width
from captions.marks import ends_clause, ends_sentence, is_closing
from captions.revision import without_closing_punctuation
from captions.words import Word
from tests.captions.messages import caption

SENTENCES = [
    "End.",
    "Really?",
    "終わりです。",
    "本当\uff1f",
    "هل هذا صحيح؟",
    "یہ ہے\u06d4",
    "यह है।",
    "Vraiment\u00a0?",
    "„Ja.”",
    "«Sí.»",
    "「はい。」",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_ends_in_every_script(text: str) -> None:
    assert ends_sentence(text)
    assert ends_clause(text)


@pytest.mark.parametrize("text", ["one,", "二、", "واحد،", "نعم؛", "trois\u00a0;"])
def test_a_clause_is_no_sentence(text: str) -> None:
    assert ends_clause(text)
    assert not ends_sentence(text)


@pytest.mark.parametrize("text", ["", "word", "Dr", "5%", "字", "»"])
def test_words_end_nothing(text: str) -> None:
    assert not ends_clause(text)


def test_marks_alone_are_told_from_words() -> None:
    assert all(map(is_closing, ("?", "!", "»", "?!", "؟")))
    assert not any(map(is_closing, ("", "a?", "-", "«")))


@pytest.mark.parametrize(("text", "bare"), [("صحيح؟", "صحيح"), ("है।", "है"), ("va\u00a0?", "va"), ("です。", "です")])
def test_a_hypothesis_s_last_mark_is_held_back_in_every_script(text: str, bare: str) -> None:
    assert without_closing_punctuation(Word(text)).text == bare


@pytest.mark.parametrize(("language", "columns"), [("en", 42), ("ja", 32), ("zh-Hant", 32), ("ko", 32), ("ar", 42)])
def test_lines_are_as_long_as_the_language_reads_well(language: str, columns: int) -> None:
    assert line_width(language) == columns


def test_marks_above_and_below_letters_take_no_column() -> None:
    assert [width(text) for text in ("مُحَمَّد", "हिन्दी", "字幕", "\u200fa", "ก็")] == [4, 5, 4, 1, 1]


def test_a_cue_in_japanese_has_two_lines_of_sixteen_characters() -> None:
    (first, *_) = cues([caption(text="字" * 50, language="ja", final=True, step=0.1)])
    assert [len(line) for line in first.lines] == [16, 16]


def test_a_cue_in_arabic_ends_with_its_sentence() -> None:
    text = "هذه جملة طويلة بما يكفي لسطر؟ وهذه جملة أخرى بعدها."
    found = cues([caption(text=text, final=True, step=0.3).model_copy(update={"language": "ar"})])
    assert [" ".join(cue.lines) for cue in found] == ["هذه جملة طويلة بما يكفي لسطر؟", "وهذه جملة أخرى بعدها."]
    assert all(width(line) <= LINE_WIDTH for cue in found for line in cue.lines)
