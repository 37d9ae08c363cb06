import numpy as np
import pytest

from captions.audio import Pcm
from streamer.vad.cascade import HANGOVER_FRAMES, CascadeDetector
from streamer.vad.silero import SileroDetector

SILENCE: Pcm = np.zeros(512, np.int16)


class Silero(SileroDetector):
    """A stand-in for Silero with scripted answers. It counts its calls."""

    def __init__(self, answers: list[float]) -> None:
        super().__init__()
        self.answers = answers
        self.asked = 0

    def probability(self, frame: Pcm) -> float:
        super().probability(frame)
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


class Gate:
    """A stand-in for webrtcvad with scripted answers."""

    def __init__(self) -> None:
        self.speech = True
        self.steps: list[bytes] = []

    def is_speech(self, step: bytes, rate: int) -> bool:
        assert rate == 16_000
        self.steps.append(step)
        return self.speech


@pytest.fixture
def gate() -> Gate:
    return Gate()


def cascade(gate: Gate, answers: list[float]) -> tuple[CascadeDetector, Silero]:
    detector, silero = CascadeDetector(), Silero(answers)
    detector._gate, detector._silero = gate, silero
    return detector, silero


def test_silero_is_not_asked_about_what_the_gate_calls_silence(gate: Gate) -> None:
    detector, silero = cascade(gate, [0.5])
    gate.speech = False
    assert [detector.probability(SILENCE) for _ in range(40)] == [0.0] * 40
    assert silero.asked == 0


def test_silero_goes_on_hearing_through_a_pause(gate: Gate) -> None:
    detector, silero = cascade(gate, [0.5])
    detector.probability(SILENCE)
    gate.speech = False
    answers = [detector.probability(SILENCE) for _ in range(40)]
    assert silero.asked == HANGOVER_FRAMES
    assert answers == [0.5] * (HANGOVER_FRAMES - 1) + [0.0] * (41 - HANGOVER_FRAMES)


def test_an_answer_sure_of_speech_holds_for_one_frame_more_and_no_other_does(gate: Gate) -> None:
    detector, silero = cascade(gate, [0.95, 0.6, 0.01, 0.5])
    assert [detector.probability(SILENCE) for _ in range(6)] == [0.95, 0.95, 0.6, 0.01, 0.5, 0.5]
    assert silero.asked == 5


def test_the_first_frame_after_silence_is_asked_about(gate: Gate) -> None:
    detector, _ = cascade(gate, [0.95])
    gate.speech = False
    for _ in range(40):
        detector.probability(SILENCE)
    gate.speech = True
    assert detector.probability(SILENCE) == 0.95


def test_the_gate_hears_every_sample_once(gate: Gate) -> None:
    detector, _ = cascade(gate, [0.5])
    pcm = np.arange(512 * 25, dtype=np.int16)
    for frame in pcm.reshape(-1, 512):
        detector.probability(frame)
    assert b"".join(gate.steps) == pcm.tobytes()
    assert {len(step) for step in gate.steps} == {640}


def test_a_frame_passed_over_is_the_context_of_the_next() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(-9000, 9000, (2, 512)).astype(np.int16)
    asked, skipped = SileroDetector(), SileroDetector()
    asked.probability(first)
    skipped.skip(first)
    np.testing.assert_array_equal(asked._input[0, :64], skipped._input[0, :64])
    assert skipped.probability(second) != SileroDetector().probability(second)
