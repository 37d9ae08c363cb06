from hypothesis import given
from hypothesis import strategies as st

from livecaptions_client.unacknowledged import UTTERANCE_END, Unacknowledged


def drained(kept: Unacknowledged) -> bytes:
    return b"".join(iter(kept.next, None))


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=12), st.data())
def test_what_is_sent_again_is_what_was_not_acknowledged(frames: list[bytes], data: st.DataObject) -> None:
    audio = b"".join(frames)
    kept = Unacknowledged()
    for frame in frames:
        kept.append(frame)
    sent = data.draw(st.integers(0, len(frames)))
    passed = sum(len(kept.next() or b"") for _ in range(sent))
    acknowledged = 0
    for offset in sorted(data.draw(st.lists(st.integers(0, passed), max_size=4))):
        kept.acknowledge(offset)
        acknowledged = offset
    assert kept.size == len(audio) - acknowledged
    assert drained(kept) == audio[passed:], "what follows an acknowledgement is what was not sent yet"
    kept.rewind()
    assert drained(kept) == audio[acknowledged:]


def test_an_older_offset_is_no_news() -> None:
    kept = Unacknowledged()
    kept.append(b"abcdef")
    kept.acknowledge(4)
    kept.acknowledge(2)
    assert (kept.acknowledged, drained(kept)) == (4, b"ef")


def test_a_new_session_begins_with_a_whole_sample() -> None:
    kept = Unacknowledged()
    for frame in (b"abcd", b"efgh"):
        kept.append(frame)
    kept.acknowledge(3)
    kept.restart(4)
    assert (kept.acknowledged, drained(kept)) == (0, b"efgh")


def test_the_end_of_an_utterance_is_sent_again_until_audio_behind_it_is_safe() -> None:
    kept = Unacknowledged()
    kept.append(b"abcd")
    kept.end_utterance()
    kept.end_utterance()
    kept.append(b"efgh")
    kept.acknowledge(4)
    assert list(iter(kept.next, None)) == [UTTERANCE_END, b"efgh"]
    kept.rewind()
    assert list(iter(kept.next, None)) == [UTTERANCE_END, b"efgh"]
    kept.acknowledge(5)
    kept.rewind()
    assert list(iter(kept.next, None)) == [b"fgh"]
