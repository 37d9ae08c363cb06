import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.audio import Pcm
from captions.listener import Listener
from captions.segmenter import Segmenter, SegmenterSettings
from streamer.vad import DetectorName, detector_factory
from streamer.vad.high_pass import CUTOFF, HighPassed
from tests.conftest import SHARED
from tests.inference.conftest import read


class Hearing:
    """A detector that records its frames."""

    frame_samples = 512

    def __init__(self) -> None:
        self.frames: list[Pcm] = []

    def probability(self, frame: Pcm) -> float:
        self.frames.append(frame)
        return 0.0


def filtered(pcm: Pcm) -> npt.NDArray[np.float64]:
    hearing = Hearing()
    detector = HighPassed(hearing)
    for at in range(0, len(pcm), 512):
        detector.probability(pcm[at : at + 512])
    return np.concatenate(hearing.frames).astype(np.float64)


def one_by_one(pcm: Pcm) -> npt.NDArray[np.float64]:
    """The filter's recursion, sample by sample."""
    pole, before, last = np.exp(-2 * np.pi * CUTOFF / 16_000), float(pcm[0]), 0.0
    found = []
    for sample in pcm.astype(float):
        last = sample - before + pole * last
        before = sample
        found.append(last)
    return np.clip(np.rint(found), -32768, 32767)


@given(st.integers(0, 2**32 - 1), st.integers(-20_000, 20_000), st.floats(1, 12_000))
def test_it_is_the_recursion_over_frames(seed: int, offset: int, loud: float) -> None:
    noise = np.random.default_rng(seed).normal(offset, loud, 3 * 512)
    pcm = np.clip(noise, -32768, 32767).astype(np.int16)
    assert np.abs(filtered(pcm) - one_by_one(pcm)).max() <= 1


@pytest.mark.parametrize(
    ("hertz", "least", "most"), [(0, 0, 0.001), (50, 0.5, 0.65), (200, 0.9, 1.01), (3000, 0.98, 1.02)]
)
def test_offsets_go_and_voices_stay(hertz: float, least: float, most: float) -> None:
    tone = 8000 * np.cos(2 * np.pi * hertz * np.arange(64 * 512) / 16_000)
    heard = filtered(tone.astype(np.int16))[32 * 512 :]
    assert least <= np.sqrt(np.mean(heard**2) / np.mean(tone[32 * 512 :] ** 2)) <= most


@pytest.mark.parametrize("name", ["cascade", "silero", "webrtc"])
def test_a_quiet_microphone_with_an_offset_loses_no_words(name: DetectorName) -> None:
    pcm = read(SHARED / "faults" / "dc_offset_quiet.wav")
    detector = detector_factory(name)()
    listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
    pieces = listener.push(pcm) + listener.finish()
    assert {piece.utterance for piece in pieces} == {0}
    spoken = sum(len(piece.pcm) for piece in pieces) / 16_000
    assert 8.0 < spoken < 9.0
