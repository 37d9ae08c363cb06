from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.lines import LINE_WIDTH, LINES, cues, width
from tests.captions.messages import caption


def test_lines_break_at_42_columns_and_cues_at_two_lines() -> None:
    text = "If a machine dies in the middle of a sentence, another one reads the log again and carries on from there."
    found = cues([caption(text=text, final=True, step=0.3)])
    assert [cue.lines for cue in found] == [
        ("If a machine dies in the", "middle of a sentence,"),
        ("another one reads the log again", "and carries on from there."),
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


def test_a_line_ends_at_a_clause_where_it_can() -> None:
    (cue,) = cues([caption(text="When nobody speaks, nothing is sent over the wire.", final=True, step=0.3)])
    assert cue.lines == ("When nobody speaks,", "nothing is sent over the wire.")


def test_a_cue_stays_until_it_is_read_where_there_is_time() -> None:
    text = "extraordinarily quick speakers"
    (alone,) = cues([caption(start=1.0, step=0.1, text=text, final=True)])
    assert alone.end == pytest.approx(1.0 + len(text) / 20)
    (followed, _) = cues(
        [caption(start=1.0, step=0.1, text=text, final=True), caption(utterance=1, start=1.5, text="Yes.", final=True)]
    )
    assert followed.end == 1.5
