import asyncio
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.errors import SetupError
from livecaptions.talk import talk_path
from livecaptions.terminal.files import file_frames, read_file, reframed


def test_a_file_becomes_16_khz_mono() -> None:
    assert len(b"".join(read_file(talk_path()))) / 32_000 == pytest.approx(95.3, abs=0.1)


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "stereo"), (8_000, "mono"), (44_100, "5.1")])
def test_rates_and_channels_are_mixed_down(tmp_path: Path, rate: int, layout: str) -> None:
    path = tmp_path / "tone.wav"
    channels = av.AudioLayout(layout).nb_channels
    tone = (np.sin(np.arange(rate) * 2 * np.pi * 440 / rate) * 8_000).astype(np.int16)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=rate)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, channels).reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    heard = np.frombuffer(b"".join(read_file(path)), "<i2")
    assert len(heard) == pytest.approx(16_000, abs=32)
    assert int(np.abs(np.fft.rfft(heard[:16_000])).argmax()) == pytest.approx(440, abs=1)


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(1, 9))
def test_frames_hold_the_same_bytes(chunks: list[bytes], size: int) -> None:
    frames = list(reframed(iter(chunks), size))
    assert b"".join(frames) == b"".join(chunks)
    assert all(len(frame) == size for frame in frames[:-1])
    assert all(0 < len(frame) <= size for frame in frames)


@pytest.mark.looptime
async def test_frames_come_when_they_are_spoken_however_slow_the_reader() -> None:
    loop = asyncio.get_running_loop()
    began, at = loop.time(), []
    async for _ in file_frames(talk_path(), seconds=3):
        at.append(loop.time() - began)
        await asyncio.sleep(0.5 if len(at) == 50 else 0.015)
    assert len(at) == 150
    due = [0.02 * (n + 1) for n in range(150)]
    assert at[:50] == pytest.approx(due[:50], abs=0.002)
    assert at[-1] == pytest.approx(due[-1], abs=0.002), "a delay is made up for, not carried along"


@pytest.mark.looptime
async def test_fast_is_at_once() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    frames = [frame async for frame in file_frames(talk_path(), fast=True)]
    assert loop.time() - began == pytest.approx(0, abs=0.001)
    assert max(map(len, frames)) <= 64 * 1024
    assert b"".join(frames) == b"".join(read_file(talk_path()))


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5])
async def test_a_beginning_is_as_long_as_asked(seconds: float) -> None:
    frames = [frame async for frame in file_frames(talk_path(), fast=True, seconds=seconds)]
    assert len(b"".join(frames)) == round(seconds * 16_000) * 2


def test_what_is_no_sound_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"cannot read .*nothing\.wav: No such file"):
        file_frames(tmp_path / "nothing.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(SetupError, match=r"text\.wav"):
        file_frames(tmp_path / "text.wav")
    with pytest.raises(SetupError, match=r"cannot read"):
        file_frames(tmp_path)


def test_a_picture_holds_no_audio(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    with av.open(str(path), "w", format="image2") as file:
        stream = file.add_stream("png", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        for packet in stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")):
            file.mux(packet)
    with pytest.raises(SetupError, match=r"picture\.png contains no audio"):
        file_frames(path)
