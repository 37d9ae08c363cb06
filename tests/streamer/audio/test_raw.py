import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captions.errors import Refusal, UnsupportedAudio
from captions.ports.probe import Probe
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.open import open_decoder
from streamer.audio.processes import DecoderProcesses
from streamer.audio.samples import BYTES
from tests.streamer.audio.decoding import decode_raw as decode
from tests.streamer.audio.decoding import decode_warned

TONE = (8000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype(np.int16)


async def test_linear16_at_16_khz_comes_through_bit_for_bit() -> None:
    pcm, offsets = await decode(AudioFormat(), TONE.tobytes())
    assert np.array_equal(pcm, TONE)
    assert offsets == [len(TONE) * 2]


@pytest.mark.parametrize(
    ("encoding", "codes", "samples"),
    [
        (Encoding.MULAW, [0x00, 0x80, 0x7F, 0xFF, 0x4E], [-32124, 32124, 0, 0, -988]),
        (Encoding.ALAW, [0x2A, 0xAA, 0x55, 0xD5], [-32256, 32256, -8, 8]),
    ],
)
async def test_g711_is_the_standards(encoding: Encoding, codes: list[int], samples: list[int]) -> None:
    pcm, _ = await decode(AudioFormat(encoding), bytes(codes))
    assert pcm.tolist() == samples


async def test_floats_are_scaled_and_clipped() -> None:
    pcm, _ = await decode(AudioFormat(Encoding.FLOAT32), np.array([0, 0.5, -1, 1.5, -3], "<f4").tobytes())
    assert pcm.tolist() == [0, 16384, -32768, 32767, -32768]


async def test_channels_are_mixed_down() -> None:
    stereo = np.stack([TONE, np.zeros_like(TONE)], axis=1)
    pcm, _ = await decode(AudioFormat(channels=2), stereo.tobytes())
    assert np.abs(pcm - TONE // 2).max() <= 1


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
async def test_every_rate_becomes_16_khz(rate: int) -> None:
    at_rate = (8000 * np.sin(np.arange(rate) * 2 * np.pi * 440 / rate)).astype(np.int16)
    pcm, offsets = await decode(AudioFormat(sample_rate=rate), at_rate.tobytes(), [640] * 50)
    assert abs(len(pcm) - 16_000) <= 2
    middle = slice(4000, 12_000)
    assert np.abs(pcm[middle].astype(int) - TONE[middle]).max() < 100
    assert offsets[-1] == len(at_rate) * 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 3000), max_size=20), st.sampled_from(list(Encoding)[:4]), st.sampled_from([16_000, 44_100])
)
async def test_the_samples_do_not_depend_on_where_the_bytes_were_cut(
    sizes: list[int], encoding: Encoding, rate: int
) -> None:
    data = TONE.tobytes() if encoding is not Encoding.FLOAT32 else (TONE / 32768).astype("<f4").tobytes()
    audio = AudioFormat(encoding, rate, 2)
    cut, offsets = await decode(audio, data, sizes)
    whole, _ = await decode(audio, data)
    assert np.array_equal(cut, whole)
    assert offsets == sorted(offsets)


async def test_an_offset_never_runs_ahead_of_the_samples() -> None:
    decoder = open_decoder(AudioFormat(sample_rate=48_000), DecoderProcesses(), Probe())
    data = np.tile(TONE, 3).tobytes()
    heard = 0
    for at in range(0, len(data), 960):
        await decoder.feed(data[at : at + 960])
        if (decoded := decoder.take()) is not None:
            heard += len(decoded.pcm)
            assert decoded.offset / 2 <= heard * 3
    await decoder.close()


async def test_samples_wait_until_they_are_enough_or_the_last() -> None:
    decoder = open_decoder(AudioFormat(), DecoderProcesses(), Probe())
    assert decoder.take(300) is None
    await decoder.feed(TONE[:200].tobytes())
    assert not decoder.ready.is_set()
    assert decoder.take(300) is None
    await decoder.feed(TONE[200:300].tobytes())
    assert decoder.ready.is_set()
    taken = decoder.take(300)
    assert taken is not None
    assert np.array_equal(taken.pcm, TONE[:300])
    await decoder.feed(TONE[300:310].tobytes())
    assert decoder.take(300) is None
    await decoder.finish()
    last = decoder.take(300)
    assert last is not None
    assert (len(last.pcm), last.offset, decoder.over) == (10, 620, True)


@pytest.mark.parametrize(
    ("audio", "rest"),
    [
        (AudioFormat(), 1),
        (AudioFormat(channels=2), 2),
        (AudioFormat(channels=2), 3),
        (AudioFormat(Encoding.FLOAT32, 48_000), 3),
        (AudioFormat(Encoding.MULAW, 8_000, 2), 1),
    ],
)
async def test_part_of_a_sample_at_the_end_is_passed_over_and_said(audio: AudioFormat, rest: int) -> None:
    whole = bytes(BYTES[audio.encoding] * audio.channels * 1000)
    pcm, _, [warning] = await decode_warned(audio, whole + b"\x01" * rest)
    assert np.array_equal(pcm, (await decode(audio, whole))[0])
    assert warning.code == "incomplete_sample"
    assert f"{rest} bytes into a sample" in warning.message


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e9])
async def test_samples_that_are_no_sound_are_silence(bad: float) -> None:
    samples = TONE.astype("<f4") / 32768
    samples[[0, 5000, 5001]] = bad
    pcm, _, [warning] = await decode_warned(AudioFormat(Encoding.FLOAT32), samples.tobytes())
    expected = TONE.copy()
    expected[[0, 5000, 5001]] = 0
    assert np.array_equal(pcm, expected)
    assert warning.code == "not_finite"
    assert warning.message.startswith("3 samples")


async def test_bytes_that_are_no_floats_are_refused() -> None:
    noise = np.random.default_rng(1).integers(-20_000, 20_000, 32_000).astype("<i2").tobytes()
    with pytest.raises(UnsupportedAudio, match="no float32 audio"):
        await decode(AudioFormat(Encoding.FLOAT32), noise)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4000), st.lists(st.integers(0, 500), max_size=8), st.sampled_from(list(Encoding)[:4]))
async def test_no_bytes_raise_anything_but_a_refusal(data: bytes, sizes: list[int], encoding: Encoding) -> None:
    try:
        pcm, _ = await decode(AudioFormat(encoding, 22_050, 1), data, sizes)
    except Refusal as refusal:
        assert refusal.code == "unsupported_audio"  # noqa: PT017 - either way is right
    else:
        assert pcm.dtype == np.int16
