import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.export import as_json, as_srt, as_text, as_vtt
from captions.lines import LINE_WIDTH, LINES, cues, width
from tests.captions.messages import caption

TALK = [
    caption(utterance=0, start=1.0, text="Good morning, everybody.", final=True, speaker="Ada"),
    caption(utterance=1, start=3.0, text="Is 1 < 2 & 3 > 2?", final=True, speaker="Ada"),
    caption(utterance=0, track="other", start=6.25, text="Yes.", final=True, speaker="Joe"),
]


def test_text_names_a_speaker_once_in_a_row() -> None:
    assert as_text(TALK) == "Ada: Good morning, everybody.\nIs 1 < 2 & 3 > 2?\nJoe: Yes.\n"


def test_srt_is_numbered_cues_with_a_comma() -> None:
    assert as_srt(TALK[:1] + TALK[2:]) == (
        "1\n00:00:01,000 --> 00:00:02,200\nGood morning, everybody.\n\n2\n00:00:06,250 --> 00:00:07,083\nYes.\n"
    )


def test_vtt_escapes_and_gives_voices() -> None:
    assert as_vtt(TALK[1:]) == (
        "WEBVTT\n\n00:00:03.000 --> 00:00:06.200\n<v Ada>Is 1 &lt; 2 &amp; 3 &gt; 2?\n\n"
        "00:00:06.250 --> 00:00:07.083\n<v Joe>Yes.\n"
    )


def test_json_is_the_captions() -> None:
    assert [c["text"] for c in json.loads(as_json(TALK))["captions"]] == [c.text for c in TALK]


def test_nothing_said_is_an_empty_file() -> None:
    assert as_text([]) == ""
    assert as_srt([]) == ""
    assert as_vtt([]) == "WEBVTT\n"


def test_times_beyond_an_hour_are_written_out() -> None:
    assert "01:01:01,500 -->" in as_srt([caption(start=3661.5, text="Late.", final=True)])


def test_lines_break_at_42_columns_and_cues_at_two_lines() -> None:
    text = "If a machine dies in the middle of a sentence, another one reads the log again and carries on from there."
    found = cues([caption(text=text, final=True, step=0.3)])
    assert [cue.lines for cue in found] == [
        ("If a machine dies in the middle of a", "sentence,"),
        ("another one reads the log again and", "carries on from there."),
    ]


def test_wide_characters_count_twice() -> None:
    assert width("字幕") == 4
    (first, *_) = cues([caption(text="字" * 50, language="ja", final=True, step=0.1)])
    assert all(width(line) <= LINE_WIDTH for line in first.lines)


@pytest.mark.parametrize("text", ["Donaudampfschifffahrtsgesellschaftskapitänswitwe", "a"])
def test_a_word_longer_than_a_line_stands_alone(text: str) -> None:
    (cue,) = cues([caption(text=text, final=True)])
    assert cue.lines == (text,)


@given(
    st.lists(
        st.lists(st.text("abcdefghij.,?", min_size=1, max_size=12), min_size=1, max_size=40), min_size=1, max_size=5
    ),
    st.floats(0.05, 0.8),
)
def test_every_word_is_shown_in_order_and_cues_do_not_overlap(texts: list[list[str]], step: float) -> None:
    captions, start = [], 0.0
    for utterance, words in enumerate(texts):
        captions.append(caption(utterance=utterance, start=start, text=" ".join(words), final=True, step=step))
        start += len(words) * step + 0.3
    found = cues(captions)
    assert " ".join(line for cue in found for line in cue.lines).split() == [w for words in texts for w in words]
    for before, after in pairwise(found):
        assert before.start <= before.end <= after.start
    for cue in found:
        assert len(cue.lines) <= LINES
        assert all(width(line) <= LINE_WIDTH for line in cue.lines)
