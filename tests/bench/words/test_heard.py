import numpy as np
import pytest

from bench.words.cuts import Cut
from bench.words.heard import VARIANTS

GENERATOR = np.random.default_rng(5)
PCM = (8000 * GENERATOR.normal(size=64_000)).clip(-32768, 32767).astype(np.int16)
SAID = [Cut(100, PCM[100:20_100]), Cut(30_000, PCM[30_000:63_900])]
QUIET = [name for name in VARIANTS if name != "10 dB over noise"]  # that one needs recordings of noise


@pytest.mark.parametrize("name", QUIET)
def test_a_variant_has_the_same_utterances_and_depends_on_nothing_else(name: str) -> None:
    heard = VARIANTS[name](PCM, SAID)
    assert [one.pcm.dtype for one in heard] == [np.int16, np.int16]
    assert all(abs(len(one.pcm) - len(other.pcm)) <= 640 for one, other in zip(heard, SAID, strict=True))
    for one, again in zip(heard, VARIANTS[name](PCM, SAID), strict=True):
        assert np.array_equal(one.pcm, again.pcm)


def test_only_the_first_variant_is_the_recording_itself() -> None:
    first, *others = (VARIANTS[name](PCM, SAID) for name in QUIET)
    assert all(np.array_equal(one.pcm, other.pcm) for one, other in zip(first, SAID, strict=True))
    assert not any(np.array_equal(one.pcm, other[0].pcm) for other in others for one in first)


def test_a_later_cut_begins_later() -> None:
    heard = VARIANTS["cut 40 ms later, 12 dB quieter"](PCM, SAID)
    assert [one.start for one in heard] == [740, 30_640]
    assert np.allclose(heard[0].pcm, PCM[740:20_740] / 4, atol=0.51)
