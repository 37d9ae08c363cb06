"""What CTranslate2 does that the engine has to work around: these tests fail when it no longer has to."""

import ctranslate2
import numpy as np
import pytest

from captions.audio import Pcm
from captions.ports.engine import DecodeRequest
from inference.engine import WhisperEngine, WhisperSettings
from inference.engine.features import Floats, LogMel

SOT, NO_TIMESTAMPS, PREVIOUS = 50257, 50362, 50360
PROMPT = [SOT, NO_TIMESTAMPS]


def view(array: Floats) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(array)


def test_states_of_n_mels_frames_are_taken_for_log_mel(tiny: WhisperEngine) -> None:
    states = np.random.default_rng(1).normal(0, 1, (1, 80, 384)).astype(np.float32)
    as_states = tiny.model.generate(view(states), [PROMPT], max_length=20, return_no_speech_prob=True)[0]
    encoded = tiny.model.encode(view(states))  # as log-mel of 384 frames
    as_mel = tiny.model.generate(encoded, [PROMPT], max_length=20, return_no_speech_prob=True)[0]
    assert as_states.no_speech_prob == as_mel.no_speech_prob


class Spy:
    """A model that notes the shapes it is given."""

    def __init__(self, model: ctranslate2.models.Whisper) -> None:
        self.model = model
        self.device = model.device
        self.n_mels = model.n_mels
        self.is_multilingual = model.is_multilingual
        self.encoded: list[list[int]] = []
        self.generated: list[list[int]] = []
        self.lengths: list[int] = []

    def encode(self, features: ctranslate2.StorageView, **options: object) -> ctranslate2.StorageView:
        self.encoded.append(features.shape)
        return self.model.encode(features, **options)

    def generate(
        self, states: ctranslate2.StorageView, prompts: list[list[int]], **options: object
    ) -> ctranslate2.models.WhisperGenerationResult:
        assert len({prompt.index(SOT) for prompt in prompts}) == 1
        self.generated.append(states.shape)
        self.lengths.append(int(str(options["max_length"])))
        return self.model.generate(states, prompts, **options)

    def align(self, *arguments: object) -> list[object]:
        aligned: list[object] = self.model.align(*arguments)
        return aligned


@pytest.mark.parametrize("seconds", [0.78, 0.8, 1.6])
def test_the_engine_never_makes_them(tiny: WhisperEngine, seconds: float) -> None:
    spy = Spy(tiny.model)
    settings = WhisperSettings(zeros=0.0, tail=0.0, step=0.02, gated=False)
    engine = WhisperEngine(spy, tiny.tokenizer, name="spied", revision=tiny.revision, settings=settings)
    engine.decode([DecodeRequest(pcm=np.ones(round(16_000 * seconds), dtype=np.int16), language="en")])
    assert spy.encoded[-1][2] not in (80, 160)
    assert spy.encoded[-1][2] % 2 == 0
    assert spy.generated[-1][1] != 80


def test_an_odd_frame_of_log_mel_is_half_a_state_too_many(tiny: WhisperEngine) -> None:
    assert tiny.model.encode(view(np.zeros((1, 80, 161), dtype=np.float32))).shape[1] == 81
    assert tiny.model.encode(view(np.zeros((1, 80, 162), dtype=np.float32))).shape[1] == 81


def test_prompts_of_a_batch_must_have_one_length(tiny: WhisperEngine) -> None:
    states = np.zeros((2, 200, 384), dtype=np.float32)
    with pytest.raises(ValueError, match="same position"):
        tiny.model.generate(view(states), [PROMPT, [PREVIOUS, 11, *PROMPT]], max_length=8)


def test_the_engine_keeps_prompts_of_different_lengths_apart(tiny: WhisperEngine) -> None:
    spy = Spy(tiny.model)
    engine = WhisperEngine(spy, tiny.tokenizer, name="spied", revision=tiny.revision)
    pcm = np.ones(16_000, dtype=np.int16)
    contexts = ["", "one two three four five", "five six seven eight nine", "", "one " * 40]
    engine.decode([DecodeRequest(pcm=pcm, language="en", context=context) for context in contexts])
    assert sorted(shape[0] for shape in spy.generated) == [1, 2, 2]
    assert sum(shape[0] for shape in spy.encoded if shape[2] != 3000) == len(contexts)


@pytest.mark.speech
@pytest.mark.parametrize(("past", "max_length", "tokens"), [(0, 20, 10), (12, 20, 6), (0, 40, 20)])
def test_max_length_counts_double_and_counts_the_prompt(
    tiny: WhisperEngine, jfk: Pcm, past: int, max_length: int, tokens: int
) -> None:
    full = LogMel(80)(jfk, 3000)[np.newaxis]
    prompt = [PREVIOUS, *[11] * past, *PROMPT] if past else PROMPT
    result = tiny.model.generate(view(full), [prompt], max_length=max_length, beam_size=1)[0]
    assert len(result.sequences_ids[0]) == tokens


def test_the_engine_allows_for_that(tiny: WhisperEngine) -> None:
    spy = Spy(tiny.model)
    engine = WhisperEngine(spy, tiny.tokenizer, name="spied", revision=tiny.revision)
    pcm = np.ones(16_000, dtype=np.int16)
    engine.decode([DecodeRequest(pcm=pcm, language="en")])
    engine.decode([DecodeRequest(pcm=pcm, language="en", context="word " * 300)])
    assert spy.lengths == [2 * (4 + 6), 10 + 1 + 223 + 2]
