from pathlib import Path

import av
import numpy as np
import pytest

from bench.capacity.recordings import BYTES_PER_SECOND, Loop, Recording, bundled_talk, load
from captions.audio import SAMPLE_RATE
from captions.errors import SetupError
from livecaptions.talk import ReferenceWord

WORDS = [
    ReferenceWord("one", 0.5, 1.0),
    ReferenceWord("two", 1.1, 1.5),
    ReferenceWord("three", 2.5, 3.0),
    ReferenceWord("four", 4.0, 4.5),
]


def counted(seconds: float) -> Recording:
    """Every sample says when it is, in tenths of a second."""
    tenths = np.arange(round(seconds * SAMPLE_RATE)) // (SAMPLE_RATE // 10)
    return Recording("counted", tenths.astype("<i2").tobytes(), WORDS)


def test_a_part_begins_and_ends_in_pauses_and_knows_its_words() -> None:
    part = Loop([counted(5)]).part(2.3, 2.0)
    assert [word.text for word in part.words] == ["three"]
    assert part.words[0].start == pytest.approx(0.5)  # the pause before it is 1.5 to 2.5
    assert part.seconds == pytest.approx(1.5)  # the pause behind it is 3.0 to 4.0
    assert np.frombuffer(part.audio, "<i2")[0] == 20


def test_a_part_goes_around_the_loop() -> None:
    part = Loop([counted(5)]).part(3.6, 7.0)
    assert [word.text for word in part.words] == ["four", "one", "two", "three", "four"]
    assert part.words[1].start == pytest.approx(2.0)  # from 3.5 to the loop's end at 5, and 0.5 more
    assert len(part.audio) == round(part.seconds * BYTES_PER_SECOND)
    assert np.frombuffer(part.audio, "<i2")[round(1.55 * SAMPLE_RATE)] == 0


def test_a_part_is_never_shorter_than_to_the_next_pause() -> None:
    assert [word.text for word in Loop([counted(5)]).part(0.0, 0.1).words] == ["one", "two"]


def test_streams_are_not_in_step() -> None:
    loop = Loop([bundled_talk()])
    parts = loop.parts(4, 30.0)
    assert len({part.text for part in parts}) == 4
    assert all(20 < part.seconds <= 30 for part in parts)
    assert all(0 <= word.start < word.end <= part.seconds for part in parts for word in part.words)


def test_a_whole_lap_says_everything_once() -> None:
    talk = bundled_talk()
    part = Loop([talk]).part(0.0, talk.seconds)
    assert sorted(part.text.split()) == sorted(talk.text.split())


def sound(path: Path) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=SAMPLE_RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, SAMPLE_RATE * 5), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)


def test_a_folder_may_hold_ctm_or_tsv(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / f"{name}.wav")
    (tmp_path / "a.ctm").write_text(";; a comment\na 1 0.50 0.25 hello 0.9\na 1 1.00 0.50 there 0.9\n")
    (tmp_path / "b.words.tsv").write_text("word\tstart\tend\tspeaker\nGood\t0.5\t0.75\tA\n")
    first, second = load(str(tmp_path))
    assert list(first.words) == [ReferenceWord("hello", 0.5, 0.75), ReferenceWord("there", 1.0, 1.5)]
    assert list(second.words) == [ReferenceWord("Good", 0.5, 0.75)]
    assert second.seconds == 5


def test_sound_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no folder"):
        load(str(tmp_path / "nowhere"))
    with pytest.raises(SetupError, match="contains no audio files"):
        load(str(tmp_path))
    sound(tmp_path / "a.wav")
    with pytest.raises(SetupError, match=r"put a\.ctm or a\.words\.tsv next to it"):
        load(str(tmp_path))
    (tmp_path / "a.ctm").write_text("a 1 zero 0.25 hello 0.9\n")
    with pytest.raises(SetupError, match=r"a.ctm is not a list of words"):
        load(str(tmp_path))
