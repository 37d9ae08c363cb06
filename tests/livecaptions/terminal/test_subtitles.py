from hypothesis import given
from hypothesis import strategies as st

from livecaptions.terminal.subtitles import Subtitles, styled, words_of
from livecaptions_client import Caption
from tests.client.messages import caption_of as caption


def spans(event: Caption) -> list[tuple[str, str]]:
    text = styled(event)
    return [(text.plain[span.start : span.end], str(span.style)) for span in text.spans]


def test_stable_words_are_bright_and_the_others_dimmed() -> None:
    assert spans(caption("So the log is", stable=2)) == [("So the", "bold"), (" log is", "not bold dim")]
    assert spans(caption("So the", stable=0)) == [("So the", "not bold dim")]
    assert spans(caption("So the", stable=1, final=True)) == [("So the", "bold")]
    assert styled(caption("")).plain == ""


def test_words_without_spaces_between_them() -> None:
    words = [{"text": "会議", "start": 1.0, "end": 1.5}, {"text": "は", "start": 1.5, "end": 2.0}]
    assert spans(caption("会議は", stable=1, language="ja", words=words)) == [("会議", "bold"), ("は", "not bold dim")]
    assert words_of(caption("会議は", language="ja")) == (["会", "議", "は"], "")


def test_what_strangers_say_does_not_steer_the_terminal() -> None:
    assert styled(caption("a\x1b[2Jb c\x07", final=True)).plain == "a[2Jb c"


def test_two_lines_of_42_columns() -> None:
    subtitles = Subtitles()
    subtitles.take("1", caption("one two three four five six seven eight nine ten eleven twelve thirteen fourteen"))
    assert [line.plain for line in subtitles.lines()] == [
        "one two three four five six seven eight",
        "nine ten eleven twelve thirteen fourteen",
    ]
    subtitles.take("2", caption("and on"))
    assert subtitles.lines()[1].plain == "and on"
    subtitles.take("2", caption("", final=True))
    assert subtitles.lines()[0].plain == "one two three four five six seven eight"


def test_a_word_that_began_a_line_stays_there() -> None:
    subtitles = Subtitles()
    subtitles.take("1", caption("one two three four five six seven eights nine"))
    assert subtitles.lines()[1].plain == "nine"
    subtitles.take("1", caption("one two three four five six seven 8 nine ten"))
    assert [line.plain for line in subtitles.lines()] == ["one two three four five six seven 8", "nine ten"]


@given(st.lists(st.text("abcdefgh 字", max_size=300), max_size=20), st.sampled_from(["en", "ja"]))
def test_lines_never_overflow(texts: list[str], language: str) -> None:
    subtitles = Subtitles()
    for n, text in enumerate(texts):
        subtitles.take(str(n % 15), caption(text, stable=n, language=language))
        lines = subtitles.lines()
        assert len(lines) <= 2
        for line in lines:
            assert line.cell_len <= 42 or len(line.plain.split()) == 1
