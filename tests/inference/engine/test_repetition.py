"""What people say once is written once, and what they say again and again is written so, by real weights."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.short import words_of
from bench.spoken import Utterance, between_pauses, phrases, repeated
from captions.audio import SAMPLE_RATE, Pcm
from captions.gates import screen
from captions.loops import repetition
from captions.ports.engine import DecodeRequest
from captions.words import join
from inference.engine import WhisperEngine, WhisperSettings
from tests.conftest import SHARED
from tests.inference.conftest import read

pytestmark = pytest.mark.speech

SPEECH = tuple(one for one in phrases(gap=0.06, most_words=5) if words_of(one.text)) if SHARED.is_dir() else ()
SINGLE = tuple(replace(one, pcm=between_pauses(one.pcm)) for one in SPEECH if " " not in one.text)
"""Isolated words."""

FOR_EVER = ("absolutely", "good morning steve", "come quickly", "simpler", "not yet")


@pytest.fixture(scope="module", params=["tiny", "base"])
def engine(request: pytest.FixtureRequest) -> WhisperEngine:
    whisper: WhisperEngine = request.getfixturevalue(request.param)
    return whisper


@pytest.fixture(scope="module")
def single(engine: WhisperEngine) -> list[list[str]]:
    """What the finals of the isolated words say."""
    return [shown(engine, one.pcm) for one in SINGLE]


@pytest.fixture(scope="module")
def whole(engine: WhisperEngine) -> WhisperEngine:
    """The same model at 30 s windows with 5 beams, as everybody decodes."""
    full = WhisperSettings(final_window="full", gated=False, beam_size=5)
    return WhisperEngine(engine.model, engine.tokenizer, name="full", revision=engine.revision, settings=full)


def shown(engine: WhisperEngine, pcm: Pcm, *, final: bool = True) -> list[str]:
    (found,) = engine.decode([DecodeRequest(pcm=pcm, language="en", final=final)])
    return words_of(join(screen(found, len(pcm) / SAMPLE_RATE).words, "en"))


def right(found: Sequence[list[str]], said: tuple[Utterance, ...]) -> int:
    return sum(words == words_of(one.text) for words, one in zip(found, said, strict=True))


def test_single_words_are_written_once(engine: WhisperEngine, single: list[list[str]]) -> None:
    assert len(SINGLE) > 20
    for one, final in zip(SINGLE, single, strict=True):
        assert repetition(final) is None, one.text
        assert repetition(shown(engine, one.pcm, final=False)) is None, one.text


def test_as_many_single_words_are_right_as_at_30_s(single: list[list[str]], whole: WhisperEngine) -> None:
    assert right(single, SINGLE) >= right([shown(whole, one.pcm) for one in SINGLE], SINGLE)


@pytest.mark.parametrize("name", ["word_paris", "word_data", "word_one"])
def test_words_that_came_out_twice_come_once(engine: WhisperEngine, name: str) -> None:
    pcm = read(SHARED / "faults" / f"{name}.wav")
    assert len(shown(engine, pcm)) == 1


@pytest.mark.parametrize("text", FOR_EVER)
@pytest.mark.parametrize("times", [3, 5])
def test_what_is_said_again_and_again_is_written_and_what_comes_after_it(
    engine: WhisperEngine, text: str, times: int
) -> None:
    one = next(one for one in SPEECH if one.text.lower() == text)
    after = next(one for one in SPEECH if one.text.lower() == "good morning katie")
    words = shown(engine, repeated(one, times, apart=0.25, then=after).pcm)
    assert words[-3:-1] == ["good", "morning"], "what comes after is never lost"
    said = repetition(words)
    assert said is not None
    assert said.times >= min(times, 4) - 1


@pytest.mark.parametrize(
    ("name", "most", "end"),
    [
        ("repeat_houston_x3", 3, "columbia"),
        ("repeat_middle", 3, "columbia"),
        ("repeat_nonono", 6, "budget"),
        ("repeat_miccheck", 3, "everybody"),
    ],
)
def test_recordings_that_lost_what_followed_a_repetition(
    engine: WhisperEngine, whole: WhisperEngine, name: str, most: int, end: str
) -> None:
    pcm = read(SHARED / "faults" / f"{name}.wav")
    (found,) = engine.decode([DecodeRequest(pcm=pcm, language="en", final=True)])
    words = [word.folded for word in screen(found, len(pcm) / SAMPLE_RATE).words]
    said = repetition(words)
    assert said is not None
    assert 2 <= said.times <= most
    assert words[-1] == end
    (alone,) = whole.decode([DecodeRequest(pcm=pcm, language="en", final=True)])
    assert words == [word.folded for word in alone.words], "the model's own words, none withdrawn"
