from typing import get_args

import numpy as np
import pytest

from captions.audio import Pcm, from_bytes
from captions.ports.detector import SpeechDetector
from livecaptions.talk import talk_path, words
from livecaptions.terminal.files import read_file
from streamer.vad import DetectorName, detector_factory
from tests.conftest import SHARED

NAMES = get_args(DetectorName)


def probabilities(detector: SpeechDetector, pcm: Pcm) -> list[float]:
    size = detector.frame_samples
    return [detector.probability(pcm[at : at + size]) for at in range(0, len(pcm) - size + 1, size)]


@pytest.fixture(scope="module")
def talk() -> Pcm:
    return from_bytes(b"".join(read_file(talk_path())))


@pytest.mark.parametrize("name", NAMES)
def test_words_are_speech_and_silence_is_not(name: DetectorName, talk: Pcm) -> None:
    detector = detector_factory(name)()
    found = np.array(probabilities(detector, talk)) >= 0.5
    seconds = (np.arange(len(found)) + 0.5) * detector.frame_samples / 16_000
    spoken = np.zeros(len(found), dtype=bool)
    for word in words():
        spoken |= (seconds >= word.start + 0.05) & (seconds < word.end - 0.05)
    assert found[spoken].mean() > 0.9
    assert max(probabilities(detector_factory(name)(), np.zeros(32_000, dtype=np.int16))) < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_streams_do_not_hear_each_other(name: DetectorName, talk: Pcm) -> None:
    make = detector_factory(name)
    first, second = make(), make()
    size = first.frame_samples
    alone = probabilities(make(), talk[: 100 * size])
    mixed = []
    for at in range(0, 100 * size, size):
        mixed.append(first.probability(talk[at : at + size]))
        second.probability(talk[-at - size : len(talk) - at])
    assert mixed == alone


@pytest.mark.speech
@pytest.mark.parametrize("name", ["silero", "cascade"])
def test_noise_is_not_speech(name: DetectorName) -> None:
    for noise in ("noise1", "noise2", "noise3"):
        pcm = from_bytes(b"".join(read_file(SHARED / "noise" / f"{noise}.flac")))
        assert np.mean(np.array(probabilities(detector_factory(name)(), pcm)) >= 0.5) < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_full_scale_is_heard_without_complaint(name: DetectorName) -> None:
    square = np.where(np.arange(16_000) % 40 < 20, 32_767, -32_768).astype(np.int16)
    assert all(0.0 <= probability <= 1.0 for probability in probabilities(detector_factory(name)(), square))
