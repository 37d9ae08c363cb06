import numpy as np

from inference.engine.features import Floats
from inference.engine.silence import SilenceTail


class Encoder:
    """Numbers its states and notes what it was given."""

    def __init__(self) -> None:
        self.given: list[Floats] = []

    def __call__(self, mels: Floats) -> Floats:
        self.given.append(mels)
        return np.arange(1500, dtype=np.float32).reshape(1, 1500, 1) + 10_000 * len(self.given)


def window(loudest_power: float) -> Floats:
    mel = np.zeros((80, 300), dtype=np.float32) - 1
    mel[3, 5] = (loudest_power + 4) / 4
    return mel


def test_the_tail_ends_where_30_s_end() -> None:
    tail = SilenceTail(Encoder(), 80, kept=100)
    assert tail.behind(window(1.0), 3)[:, 0].tolist() == [11497, 11498, 11499]
    assert len(tail.behind(window(1.0), 100)) == 100


def test_silence_is_encoded_once_for_windows_about_as_loud() -> None:
    encoder = Encoder()
    tail = SilenceTail(encoder, 80)
    for power in (1.0, 1.1, 0.9, 2.0, 1.0):
        tail.behind(window(power), 10)
    assert len(encoder.given) == 2
    assert encoder.given[0].shape == (1, 80, 3000)
    assert np.unique(encoder.given[0]).tolist() == [(1.0 - 8 + 4) / 4]


def test_only_so_many_levels_are_kept() -> None:
    encoder = Encoder()
    tail = SilenceTail(encoder, 80, kept=2)
    tail.prepare(range(64))
    tail.prepare(range(64))
    assert len(encoder.given) == 64
    tail.prepare(range(64, 65))
    tail.prepare(range(1))
    assert len(encoder.given) == 66
