from itertools import pairwise

from captions.words import fold
from livecaptions.talk import talk_path, text, words
from livecaptions.terminal.files import read_file


def test_the_audio_is_as_long_as_its_words() -> None:
    seconds = sum(map(len, read_file(talk_path()))) / 2 / 16_000
    assert 90 < seconds < 100
    assert words()[-1].end < seconds


def test_the_words_are_those_of_the_text_in_order() -> None:
    assert [fold(word.text) for word in words()] == [fold(word) for word in text().split() if fold(word)]


def test_the_words_follow_one_another() -> None:
    spans = words()
    assert all(word.start < word.end for word in spans)
    assert all(earlier.end <= later.start + 0.01 for earlier, later in pairwise(spans))
