import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from inference.engine.features import LogMel, loudest, silence_level


@pytest.mark.parametrize("samples", [1, 399, 8_000, 31_999, 48_000])
def test_features_are_faster_whispers_of_the_padded_window(samples: int) -> None:
    pcm = np.random.default_rng(7).normal(0, 3000, samples).astype(np.int16)
    padded = np.zeros(300 * 160, dtype=np.float32)
    padded[:samples] = pcm / 32768
    expected = FeatureExtractor()(padded, padding=0)
    np.testing.assert_allclose(LogMel(80)(pcm, 300), expected, atol=1e-5)


def test_digital_silence_is_the_floor_of_what_is_loudest() -> None:
    pcm = np.zeros(16_000, dtype=np.int16)
    mel = LogMel(80)(pcm, 200)
    np.testing.assert_allclose(mel, silence_level(loudest(mel)), atol=1e-6)
    loud = LogMel(128)((10_000 * np.sin(np.arange(16_000) / 5)).astype(np.int16), 200)
    assert loud.shape == (128, 200)
    assert loud.min() == pytest.approx(silence_level(loudest(loud)))


def test_audio_past_the_window_is_cut() -> None:
    pcm = np.random.default_rng(7).normal(0, 3000, 64_000).astype(np.int16)
    assert LogMel(80)(pcm, 200).shape == (80, 200)
