import pytest
from faster_whisper.tokenizer import Tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from captions.words import Word, join
from inference.engine import WhisperEngine
from inference.engine.alignment import Piece, pieces, plain_words, text_of, timed_words


@pytest.fixture(scope="module")
def tokenizer(tiny: WhisperEngine) -> Tokenizer:
    return tiny._languages.tokenizer("en")


@pytest.fixture(scope="module")
def multilingual(base: WhisperEngine) -> Tokenizer:
    return base._languages.tokenizer("ja")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" Ask not, my friends!", ["Ask", "not,", "my", "friends!"]),
        (" It's state-of-the-art, isn't it?", ["It's", "state-of-the-art,", "isn't", "it?"]),
        (' He said "no" (twice).', ["He", "said", '"no"', "(twice)."]),
        (" $3.50 is 10% off", ["$3.50", "is", "10%", "off"]),
        ("No space first", ["No", "space", "first"]),
    ],
)
def test_words_are_what_stands_between_spaces(tokenizer: Tokenizer, text: str, words: list[str]) -> None:
    tokens = tokenizer.encode(text)
    assert [piece.text for piece in pieces(tokenizer, tokens, "en")] == words
    assert [word.text for word in plain_words(tokenizer, tokens, "en")] == words


def test_unspaced_languages_are_cut_at_characters_with_punctuation_attached(multilingual: Tokenizer) -> None:
    text = "「今日は」、東京でPython 3を学ぶ。"
    words = plain_words(multilingual, multilingual.encode(text), "ja")
    assert join(words, "ja") == text
    assert len(words) > 5
    assert words[0].text.startswith("「")
    assert words[-1].text.endswith("。")
    assert not any(word.text in "「」、。" for word in words)


@settings(max_examples=100)
@given(st.text(max_size=60), st.integers(0, 5), st.sampled_from(["en", "ja"]))
def test_no_token_is_lost_whatever_the_text(tokenizer: Tokenizer, text: str, cut: int, language: str) -> None:
    tokens = tokenizer.encode(text)
    tokens = tokens[: max(0, len(tokens) - cut)]
    found = pieces(tokenizer, tokens, language)
    if found:
        assert [token for piece in found for token in piece.tokens] == tokens
    assert all(piece.text.strip() for piece in found)
    if language == "en":
        assert not any(" " in piece.text for piece in found)


def test_a_character_cut_in_its_middle_is_left_out(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode(" so 語")
    assert text_of(tokenizer, tokens[:-1]) == "so"
    assert [word.text for word in plain_words(tokenizer, tokens[:-1], "en")] == ["so"]


def test_times_come_from_the_path_and_stay_in_the_audio() -> None:
    words = [Piece("So", [1]), Piece("fellow", [2, 3]), Piece("men.", [4, 5])]
    path = [(0, 5), (0, 6), (1, 20), (2, 30), (2, 31), (3, 50), (4, 60), (5, 70)]
    found = timed_words(words, path, [0.9, 0.8, 0.6, 0.5, 1.0], 1.3)
    assert found == (Word("So", 0.1, 0.4, 0.9), Word("fellow", 0.4, 1.0, 0.7), Word("men.", 1.0, 1.3, 0.75))


def test_marks_that_stand_apart_stay_with_their_word(base: WhisperEngine) -> None:
    tokenizer = base._languages.tokenizer("fr")
    tokens = tokenizer.encode(" Ça va ? « Très bien », dit-il !")
    words = ["Ça", "va\u00a0?", "«\u00a0Très", "bien\u00a0»,", "dit-il\u00a0!"]
    assert [word.text for word in plain_words(tokenizer, tokens, "fr")] == words
    found = pieces(tokenizer, tokens, "fr")
    assert [piece.text for piece in found] == words
    assert [token for piece in found for token in piece.tokens] == tokens
