"""The engine with real weights: tiny.en throughout, base where languages matter."""

import difflib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bench.spoken import utterances
from captions.audio import NO_AUDIO, Pcm
from captions.errors import EngineError
from captions.gates import screen
from captions.ports.engine import DecodeRequest, Engine, Hypothesis
from captions.words import fold, join
from inference.engine import WhisperEngine, WhisperSettings
from tests.conftest import SHARED
from tests.inference.conftest import Speech

# how it is punctuated depends on the processor's kernels: compare it folded
JFK = "And so my fellow Americans ask not what your country can do for you, ask what you can do for your country."


def text(hypothesis: Hypothesis) -> str:
    return join(hypothesis.words, hypothesis.language)


def final(pcm: Pcm, **more: object) -> DecodeRequest:
    return DecodeRequest(pcm=pcm, language="en", final=True, **more)  # type: ignore[arg-type]  # keywords of the test


def with_settings(engine: WhisperEngine, settings: WhisperSettings) -> WhisperEngine:
    return WhisperEngine(engine.model, engine.tokenizer, name="tiny.en", revision=engine.revision, settings=settings)


def test_it_is_an_engine_and_says_what_it_is(tiny: WhisperEngine) -> None:
    engine: Engine = tiny
    assert engine.model_name == "tiny.en"
    assert tiny.describe() == {
        "model": "tiny.en",
        "multilingual": False,
        "device": "cpu",
        "compute_type": tiny.compute_type,
    }
    assert tiny.compute_type.startswith("int8")
    assert tiny.languages == {"en"}


@pytest.mark.speech
def test_a_final_has_the_words_their_times_and_its_doubts(tiny: WhisperEngine, jfk: Pcm) -> None:
    (found,) = tiny.decode([final(jfk)])
    assert fold(text(found)) == fold(JFK)
    assert all(word.timed and word.confidence is not None and 0 < word.confidence <= 1 for word in found.words)
    starts = [word.start for word in found.words if word.start is not None]
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert starts[-1] < 11
    assert found.language == "en"
    assert found.no_speech_probability < 0.2
    assert -0.3 < found.mean_log_probability < 0
    assert not found.redecoded


@pytest.mark.speech
def test_a_partial_has_words_and_times_only_where_asked(tiny: WhisperEngine, jfk: Pcm) -> None:
    plain, aligned = tiny.decode(
        [
            DecodeRequest(pcm=jfk[: 8 * 16_000], language="en"),
            DecodeRequest(pcm=jfk[: 8 * 16_000], language="en", aligned=True),
        ]
    )
    assert text(plain) == text(aligned)
    assert fold(text(plain)).startswith("andsomyfellowamericansasknotwhatyourcountrycandoforyou")
    assert not any(word.timed for word in plain.words)
    assert all(word.timed for word in aligned.words)


@pytest.mark.speech
@pytest.mark.parametrize("stem", ["jfk_inaugural", "ls_84-121550-0000", "ls_1089-134686-0000"])
def test_word_times_are_those_of_the_reference(tiny: WhisperEngine, recording: Speech, stem: str) -> None:
    (found,) = tiny.decode([final(recording(stem))])
    rows = [line.split() for line in (SHARED / "speech" / f"{stem}.ctm").read_text().splitlines()]
    spoken = [fold(row[4]) for row in rows]
    matcher = difflib.SequenceMatcher(None, spoken, [word.folded for word in found.words], autojunk=False)
    errors = []
    for block in matcher.get_matching_blocks():
        for k in range(block.size):
            start = found.words[block.b + k].start
            assert start is not None
            errors.append(abs(start - float(rows[block.a + k][2])))
    assert len(errors) > 0.8 * len(spoken)
    assert np.median(errors) < 0.15
    assert np.mean(np.array(errors) <= 0.26) >= 0.75


@pytest.mark.speech
def test_results_do_not_depend_on_the_batch(tiny: WhisperEngine, recording: Speech, jfk: Pcm) -> None:
    other = recording("two_cities")
    requests = [
        final(jfk),
        final(jfk, context="Ladies and gentlemen, distinguished guests", vocabulary=("fellow Americans",)),
        DecodeRequest(pcm=jfk[: 3 * 16_000], language="en"),
        DecodeRequest(pcm=jfk[: 3 * 16_000 + 900], language="en", aligned=True),
        final(other[: 3 * 16_000]),
        final(other[16_000 : 4 * 16_000 + 555]),
        DecodeRequest(pcm=other[: 6 * 16_000], language="en", context="It was the best of times"),
        final(jfk[3 * 16_000 : 6 * 16_000]),
    ]
    alone = [tiny.decode([request])[0] for request in requests]
    together = tiny.decode(requests)
    backwards = tiny.decode(requests[::-1])[::-1]
    for request, one, two, three in zip(requests, alone, together, backwards, strict=True):
        for found in (two, three):
            assert [w.text for w in one.words] == [w.text for w in found.words]
            if request.final:  # a partial's doubts and times move by a hair with the length of its tail
                assert [(w.start, w.end) for w in one.words] == [(w.start, w.end) for w in found.words]
                assert one.mean_log_probability == pytest.approx(found.mean_log_probability, abs=1e-3)
                assert one.no_speech_probability == pytest.approx(found.no_speech_probability, abs=1e-3)


@pytest.mark.speech
@pytest.mark.parametrize(("final", "lengths"), [(False, (4.1, 5.0, 6.3, 8.2, 9.4)), (True, (7.2, 7.9, 8.4, 7.5))])
def test_windows_of_one_batch_key_are_searched_together_and_heard_as_alone(
    tiny: WhisperEngine, jfk: Pcm, monkeypatch: pytest.MonkeyPatch, lengths: tuple[float, ...], *, final: bool
) -> None:
    requests = [DecodeRequest(pcm=jfk[: round(s * 16_000)], language="en", final=final) for s in lengths]
    assert len({tiny.batch_key(len(request.pcm), final=final) for request in requests}) == 1
    alone = [tiny.decode([request])[0] for request in requests]
    search, searched = tiny._search, list[int]()

    def counted(windows: Sequence[Any], beams: int) -> list[Hypothesis]:
        searched.append(len(windows))
        return search(windows, beams)

    monkeypatch.setattr(tiny, "_search", counted)
    together = tiny.decode(requests)
    assert searched == [len(requests)]
    assert [[w.text for w in one.words] for one in together] == [[w.text for w in one.words] for one in alone]
    if final:
        assert [[w.start for w in one.words] for one in together] == [[w.start for w in one.words] for one in alone]


@pytest.mark.speech
def test_eight_of_a_kind_are_as_one(tiny: WhisperEngine, jfk: Pcm) -> None:
    (alone,) = tiny.decode([final(jfk[: 4 * 16_000])])
    for found in tiny.decode([final(jfk[: 4 * 16_000])] * 8):
        assert found.words == alone.words


@pytest.mark.speech
def test_threads_may_share_an_engine(tiny: WhisperEngine, jfk: Pcm) -> None:
    request = final(jfk[: 4 * 16_000])
    (alone,) = tiny.decode([request])
    with ThreadPoolExecutor(4) as pool:
        assert {found[0].words for found in pool.map(tiny.decode, [[request]] * 6)} == {alone.words}


@pytest.mark.speech
def test_a_short_window_loops_and_the_silence_tail_cures_it(tiny: WhisperEngine, jfk: Pcm) -> None:
    bare = with_settings(tiny, WhisperSettings(final_zeros=0.6, final_tail=0.0, gated=False))
    (looping,) = bare.decode([final(jfk[: 3 * 16_000])])
    assert len(looping.words) >= 15
    (found,) = tiny.decode([final(jfk[: 3 * 16_000])])
    assert text(found).startswith("And so my fellow Americans")
    assert len(found.words) <= 7


@pytest.mark.speech
def test_a_looping_final_is_decoded_again_at_30_s(tiny: WhisperEngine, jfk: Pcm) -> None:
    bare = with_settings(tiny, WhisperSettings(final_zeros=0.6, final_tail=0.0, beam_size=5))
    (found,) = bare.decode([final(jfk[: 3 * 16_000], context="and again and again")])
    assert found.redecoded
    assert text(found).startswith("And so")
    assert text(found).endswith("fellow Americans.")
    assert len(found.words) <= 7


@pytest.mark.speech
def test_finals_can_have_the_full_window(tiny: WhisperEngine, jfk: Pcm) -> None:
    full = with_settings(tiny, WhisperSettings(final_window="full"))
    (found,) = full.decode([final(jfk)])
    assert fold(text(found)) == fold(JFK)
    assert found.words[-1].end is not None
    assert found.words[-1].end <= 11


@pytest.mark.speech
def test_a_looping_partial_is_bounded_by_its_length(tiny: WhisperEngine, recording: Speech) -> None:
    speech = recording("two_cities")
    for start in range(0, 20 * 16_000, 16_000):
        (found,) = tiny.decode([DecodeRequest(pcm=speech[start : start + 8_000], language="en")])
        assert len(found.words) <= 4 + 6 * 1.0, "a window of half a second, rounded up"


@pytest.mark.speech
def test_a_long_prompt_leaves_room_for_the_text(tiny: WhisperEngine, jfk: Pcm) -> None:
    context = "and so on and so forth, my friends, " * 60
    assert len(tiny.decode([final(jfk, context=context)])[0].words) >= 20
    assert len(tiny.decode([DecodeRequest(pcm=jfk, language="en", context=context)])[0].words) >= 20


@pytest.mark.speech
def test_utterances_longer_than_short_windows_allow(tiny: WhisperEngine, recording: Speech) -> None:
    speech = recording("two_cities")
    found = tiny.decode([final(speech[: 27 * 16_000]), final(speech[: 30 * 16_000])])
    assert all(len(one.words) > 60 for one in found)
    with pytest.raises(EngineError, match="30 s at most"):
        tiny.decode([final(speech[: 30 * 16_000 + 1])])


@pytest.mark.speech
def test_noise_is_screened_and_speech_is_not(tiny: WhisperEngine, noises: list[Pcm], jfk: Pcm) -> None:
    for noise in noises:
        for found in tiny.decode([final(noise[: 3 * 16_000]), DecodeRequest(pcm=noise[: 2 * 16_000], language="en")]):
            assert screen(found, 3.0).words == ()
    (found,) = tiny.decode([final(jfk)])
    assert screen(found, 11.0).words == found.words


def test_no_audio_and_hardly_any(tiny: WhisperEngine) -> None:
    nothing, one_sample, silence = tiny.decode(
        [
            final(NO_AUDIO),
            final(np.ones(1, dtype=np.int16)),
            final(np.zeros(16_000, dtype=np.int16)),
        ]
    )
    assert nothing.words == ()
    assert screen(one_sample, 0.0).words == ()
    assert screen(silence, 1.0).words == ()
    assert tiny.decode([]) == []


@pytest.mark.speech
def test_an_english_model_hears_english_whatever_is_asked(tiny: WhisperEngine, jfk: Pcm) -> None:
    german, auto = tiny.decode(
        [
            DecodeRequest(pcm=jfk, language="de-DE", final=True),
            DecodeRequest(pcm=jfk, language="auto", final=True),
        ]
    )
    assert text(german) == text(auto)
    assert fold(text(auto)) == fold(JFK)
    assert german.language == auto.language == "en"
    assert auto.language_probability == 1.0


@pytest.mark.speech
def test_vocabulary_helps_with_terms(tiny: WhisperEngine) -> None:
    said = next(one.pcm for one in utterances("azure_katiesteve") if "diarize" in one.text)
    without, with_it = tiny.decode([final(said), final(said, vocabulary=("WhisperX", "diarize"))])
    assert "diarize" not in {word.folded for word in without.words}
    assert "diarize" in {word.folded for word in with_it.words}


@pytest.mark.speech
def test_terms_that_are_not_said_do_no_harm(tiny: WhisperEngine, jfk: Pcm) -> None:
    terms = ("Kubernetes", "Zaphod Beeblebrox", "Herculaneum", "LocalAgreement", "aiokafka")
    (found,) = tiny.decode([final(jfk, vocabulary=terms)])
    assert fold(text(found)) == fold(JFK)


def test_a_failing_library_is_an_engine_error(tiny: WhisperEngine) -> None:
    class Broken:
        device = "cpu"
        n_mels = 80
        is_multilingual = False

        def encode(self, *_: object, **__: object) -> None:
            raise RuntimeError("out of memory")

    broken = WhisperEngine(Broken(), tiny.tokenizer, name="broken", revision=tiny.revision)
    with pytest.raises(EngineError, match="a batch of 1: out of memory"):
        broken.decode([final(np.ones(1600, dtype=np.int16))])


def test_warming_up_leaves_nothing_to_encode_for_common_levels(tiny: WhisperEngine) -> None:
    tiny.warm_up()
    levels = len(tiny._silence._levels)
    tiny.warm_up()
    assert len(tiny._silence._levels) == levels > 3
