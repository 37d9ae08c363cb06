import io
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captions.audio import Pcm
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.floats import Floats
from streamer.audio.mixing import Mixer
from tests.conftest import SHARED
from tests.inference.conftest import read
from tests.streamer.audio.decoding import decode_container, decode_raw


def level(samples: npt.NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.fixture(scope="module")
def speech() -> Pcm:
    return read(SHARED / "faults" / "repeat_middle.wav")


def stereo(left: Pcm, right: Pcm) -> Floats:
    return (np.stack([left, right], axis=1) / 32768).astype(np.float32)


def mixed(samples: Floats, rate: int = 16_000) -> Floats:
    return Mixer(samples.shape[1], rate).mix(samples)


def test_opposite_channels_are_heard(speech: Pcm) -> None:
    begin = int(np.argmax(speech != 0))
    heard = mixed(stereo(speech, -speech))
    assert np.allclose(heard[begin + 320 :], stereo(speech, speech)[begin + 320 :, 0], atol=1e-6)
    quiet = (speech // 50).astype(np.int16)
    assert level(mixed(stereo(speech, -quiet))) > 0.5 * level(speech / 32768)


def test_an_offset_does_not_hide_that_they_are_opposite(speech: Pcm) -> None:
    samples = stereo(speech // 20, -(speech // 20)) + np.float32(0.05)
    heard = mixed(samples)[320:]  # the offsets cancel
    assert level(heard) > 0.9 * level(speech[320:] // 20 / 32768)


@pytest.mark.parametrize("channels", [2, 8])
@pytest.mark.parametrize("alive", [0, 1])
def test_dead_channels_leave_the_mean_as_it_is(channels: int, alive: int, speech: Pcm) -> None:
    samples = np.zeros((len(speech), channels), np.float32)
    samples[:, alive] = speech / 32768
    assert np.allclose(mixed(samples), samples.mean(axis=1), atol=1e-6)


def test_alike_and_unrelated_channels_are_mixed_as_they_are(speech: Pcm) -> None:
    other = np.roll(speech, len(speech) // 2)
    for samples in (stereo(speech, speech), stereo(speech, other), stereo(speech, (speech * 0.3).astype(np.int16))):
        assert np.allclose(mixed(samples), samples.mean(axis=1), atol=1e-6)


def test_a_channel_is_turned_round_and_back_without_a_click() -> None:
    tone = (8000 * np.sin(2 * np.pi * 300 * np.arange(10 * 16_000) / 16_000)).astype(np.int16)
    right = tone.copy()
    right[3 * 16_000 : 6 * 16_000] *= -1
    heard = mixed(stereo(tone, right))
    assert level(heard[4 * 16_000 : 6 * 16_000]) > 0.99 * level(tone / 32768)
    assert level(heard[8 * 16_000 :]) > 0.99 * level(tone / 32768)
    steps = np.abs(np.diff(heard))
    switches = np.r_[3 * 16_000 - 5 : 3 * 16_000 + 5, 6 * 16_000 - 5 : 6 * 16_000 + 5]  # where the input itself jumps
    assert np.delete(steps, switches).max() < 2 * np.abs(np.diff(tone / 32768)).max()


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 900), max_size=12))
def test_samples_do_not_depend_on_where_the_stream_is_cut(channels: int, seed: int, sizes: list[int]) -> None:
    generator = np.random.default_rng(seed)
    samples = generator.normal(0, 0.1, (3000, channels)).astype(np.float32)
    samples[:, 1] = -samples[:, 0] * np.float32(generator.uniform(0.2, 1))
    mixer, cuts = Mixer(channels, 16_000), np.cumsum(sizes)
    pieces = [mixer.mix(part) for part in np.split(samples, cuts[cuts < len(samples)])]
    assert np.allclose(np.concatenate(pieces), mixed(samples), atol=1e-5)


async def test_raw_and_contained_stereo_of_opposite_phase_is_heard(speech: Pcm) -> None:
    samples = np.stack([speech, -speech], axis=1).astype(np.int16)
    for audio in (AudioFormat(channels=2), AudioFormat(Encoding.FLOAT32, channels=2)):
        data = samples.tobytes() if audio.encoding is Encoding.LINEAR16 else (samples / 32768).astype("<f4").tobytes()
        pcm, _ = await decode_raw(audio, data)
        assert level(pcm) > 0.95 * level(speech)
    out = io.BytesIO()
    with av.open(out, "w", format="wav") as muxer:
        stream: Any = muxer.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            muxer.mux(packet)
    assert level(decode_container(out.getvalue())) > 0.95 * level(speech)
