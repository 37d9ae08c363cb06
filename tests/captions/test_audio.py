import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.audio import SAMPLE_RATE, from_bytes, to_bytes, to_samples, to_seconds


@given(st.binary().filter(lambda data: len(data) % 2 == 0))
def test_bytes_survive_as_samples(data: bytes) -> None:
    assert to_bytes(from_bytes(data)) == data


def test_samples_are_little_endian() -> None:
    assert from_bytes(b"\x01\x00\xff\xff").tolist() == [1, -1]
    assert from_bytes(b"\x01\x00").dtype == np.int16


def test_half_a_sample_is_an_error() -> None:
    with pytest.raises(ValueError, match="buffer size"):
        from_bytes(b"abc")


@given(st.integers(0, 10**9))
def test_times_are_rounded_to_the_millisecond(samples: int) -> None:
    assert abs(to_seconds(samples) - samples / SAMPLE_RATE) <= 0.000501
    assert abs(to_samples(to_seconds(samples)) - samples) <= SAMPLE_RATE // 2000 + 1
