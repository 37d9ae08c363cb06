import io
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captions.audio import Pcm, from_bytes, to_bytes
from captions.audio_warnings import AudioWarning
from captions.errors import Refusal, UnsupportedAudio
from livecaptions.talk import talk_path
from livecaptions.terminal.files import read_file
from streamer.audio.container_stream import MOST_LOST_BYTES, ContainerStream
from tests.streamer.audio.decoding import Pieces
from tests.streamer.audio.decoding import decode_container as decode
from tests.streamer.audio.encoding import FORMATS, encoded

SECONDS = 8


@pytest.fixture(scope="module")
def speech() -> Pcm:
    return from_bytes(b"".join(read_file(talk_path())))[: SECONDS * 16_000]


class Heard(NamedTuple):
    """A decoder's progress: bytes read, samples returned, and the offset returned with them."""

    consumed: int
    samples: int
    offset: int


def progress(data: bytes, size: int = 2000) -> list[Heard]:
    """A decoder's progress after each piece of bytes. It cannot read beyond the piece that it waits for."""
    source = Pieces(data, [size] * (len(data) // size))
    seen: list[Heard] = []

    def put(pcm: Pcm, offset: int) -> None:
        seen.append(Heard(source.consumed, (seen[-1].samples if seen else 0) + len(pcm), offset))

    ContainerStream(source, put, print).decode()
    return seen


@pytest.mark.parametrize("name", FORMATS)
def test_a_container_is_decoded_as_it_was_recorded(name: str, speech: Pcm) -> None:
    pcm = decode(encoded(speech, *FORMATS[name]))
    assert abs(len(pcm) - len(speech)) <= 2500
    delay = max(
        range(-2500, 2500, 4),
        key=lambda d: float(np.dot(pcm[40_000 + d : 44_000 + d], speech[40_000:44_000].astype(float))),
    )
    shifted = pcm[16_000 + delay : 96_000 + delay].astype(float)
    assert np.corrcoef(shifted, speech[16_000:96_000])[0, 1] > 0.9


@pytest.mark.parametrize("name", FORMATS)
def test_a_container_is_decoded_while_it_arrives(name: str, speech: Pcm) -> None:
    data = encoded(speech, *FORMATS[name])
    half = [heard.samples for heard in progress(data) if heard.consumed <= len(data) // 2]
    assert half, "nothing was heard before half of it had come"
    assert max(half) >= len(speech) // 5


@pytest.mark.parametrize("name", FORMATS)
def test_an_offset_never_runs_ahead_of_the_samples(name: str, speech: Pcm) -> None:
    data = encoded(speech, *FORMATS[name])
    seen = [heard for heard in progress(data, len(data) // 6) if heard.offset > len(data) // 4]
    assert all(heard.offset <= heard.consumed for heard in seen)
    for heard in seen[:: max(1, len(seen) // 6)]:
        assert len(decode(data[: heard.offset], 20_000)) <= heard.samples
    assert seen


@pytest.mark.parametrize("share", [0.4, 0.61, 0.97])
@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_that_breaks_off_keeps_what_was_heard(name: str, share: float, speech: Pcm) -> None:
    data = encoded(speech, *FORMATS[name])
    pcm = decode(data[: int(len(data) * share)])
    assert len(pcm) > len(speech) * (share - 0.2)


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_spoilt_on_the_way_cost_little(name: str, speech: Pcm) -> None:
    data = bytearray(encoded(speech, *FORMATS[name]))
    middle = len(data) // 2
    data[middle : middle + 300] = np.random.default_rng(1).bytes(300)
    pcm = decode(bytes(data))
    assert abs(len(pcm) - len(speech)) <= 34_000  # Ogg gives up two pages of a second


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_that_does_not_know_its_length_is_read_to_its_end(size: int, speech: Pcm) -> None:
    data = bytearray(encoded(speech, *FORMATS["wav"]))
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = struct.pack("<I", size)
    pcm = decode(bytes(data), 20_000)
    assert abs(len(pcm) - len(speech)) <= 20


@pytest.mark.parametrize("second", FORMATS)
@pytest.mark.parametrize("first", FORMATS)
def test_recordings_one_after_the_other_are_heard_or_said_not_to_be(first: str, second: str, speech: Pcm) -> None:
    data = encoded(speech, *FORMATS[first]) + encoded(speech, *FORMATS[second])
    told: list[AudioWarning] = []
    if second in {"mp3 without a tag", "adts"} and first not in {"wav", second} | (
        {"mp3"} if second != "adts" else set()
    ):
        with suppress(UnsupportedAudio):  # the stream has no recognisable beginning
            decode(data, 3000, told)
            assert [warning.code for warning in told] == ["lost_bytes"]
        return
    pcm = decode(data, 3000, told)
    assert abs(len(pcm) - 2 * len(speech)) <= 5000
    assert told == []


@pytest.mark.parametrize("name", ["ogg/opus", "wav", "flac", "webm as MediaRecorder makes it", "fragmented mp4"])
def test_a_recording_that_breaks_off_does_not_cost_the_next(name: str, speech: Pcm) -> None:
    data = encoded(speech, *FORMATS[name])
    pcm = decode(data[: len(data) * 2 // 3] + encoded(speech, *FORMATS["wav"]), 3000)
    assert len(pcm) > 1.5 * len(speech)


def wav_header(size: int) -> bytes:
    """A WAV header of mono PCM16 at 16 kHz with this data size. Recorders write 0 or 0xFFFFFFFF for a live stream."""
    riff = min(36 + size, 0xFFFFFFFF)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", size
    )


@pytest.mark.parametrize("declared", [None, 0, 10_000_000, 0xFFFFFFFF])
@pytest.mark.parametrize("seconds", [0.02, 0.25, 1.0])
def test_a_header_before_every_slice_of_wav(seconds: float, declared: int | None, speech: Pcm) -> None:
    samples = int(seconds * 16_000)
    slices = [
        wav_header(2 * samples if declared is None else declared) + to_bytes(speech[at : at + samples])
        for at in range(0, len(speech), samples)
    ]
    told: list[AudioWarning] = []
    pcm = decode(b"".join(slices), 1000, told)
    assert np.array_equal(pcm, speech)
    assert told == []


def test_sound_after_the_end_that_a_wav_header_declares_is_said(speech: Pcm) -> None:
    data = encoded(speech[:16_000], "wav", "pcm_s16le", 16_000, {})
    told: list[AudioWarning] = []
    pcm = decode(data + to_bytes(speech[16_000:48_000]), 2000, told)
    assert len(pcm) == 16_000
    assert [warning.code for warning in told] == ["lost_bytes"]
    assert told[0].message.startswith(f"64000 bytes, from byte {len(data)} on")
    assert "0xFFFFFFFF" in told[0].message
    with pytest.raises(UnsupportedAudio, match="ended by its header"):
        decode(data + to_bytes(np.tile(speech, 2)), 2000)


def test_tags_behind_the_sound_of_a_wav_are_no_sound_and_no_loss(speech: Pcm) -> None:
    data = bytearray(encoded(speech, "wav", "pcm_s16le", 16_000, {}))
    chunk = b"id3 " + struct.pack("<I", 30) + b"ID3\x03\0\0\0\0\0\x14" + bytes(20)
    data[4:8] = struct.pack("<I", len(data) + len(chunk) - 8)
    told: list[AudioWarning] = []
    pcm = decode(bytes(data) + chunk + encoded(speech, *FORMATS["flac"]), 2000, told)
    assert abs(len(pcm) - 2 * len(speech)) <= 2500
    assert told == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("length", [0, 1, 3, 7, 16, 30, 43, 44, 60, 100, 152, 300, 304, 400, 600])
def test_a_recording_that_had_barely_begun_is_no_fault(name: str, length: int, speech: Pcm) -> None:
    told: list[AudioWarning] = []
    pcm = decode(encoded(speech, *FORMATS[name])[:length], 1000, told)
    assert len(pcm) <= 2000
    assert len(pcm) or not length or [warning.code for warning in told] == ["no_sound"]


def test_a_picture_of_megabytes_before_the_sound_does_not_block_the_stream(speech: Pcm) -> None:
    size = 3_000_000
    tag = b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
    pcm = decode(tag + encoded(speech, *FORMATS["mp3"]), 60_000)
    assert abs(len(pcm) - len(speech)) <= 2500


def test_a_rate_nobody_records_at_is_refused_before_it_grows(speech: Pcm) -> None:
    data = bytearray(encoded(speech, *FORMATS["wav"]))
    data[24:28] = struct.pack("<I", 1)
    with pytest.raises(UnsupportedAudio, match="at 1 Hz"):
        decode(bytes(data), 20_000)


def test_a_codec_off_the_list_is_refused_by_name(speech: Pcm) -> None:
    with pytest.raises(UnsupportedAudio, match="ac3"):
        decode(encoded(speech, "matroska", "ac3", 44_100, {}))


def test_a_file_that_tells_its_layout_first_ends_where_it_says(speech: Pcm, tmp_path: Path) -> None:
    data = encoded(speech, "mp4", "aac", 44_100, {"movflags": "faststart"}, path=tmp_path / "a.mp4")
    told: list[AudioWarning] = []
    pcm = decode(data + bytes(20_000), 20_000, told)
    assert abs(len(pcm) - len(speech)) <= 2500
    assert [warning.code for warning in told] == ["lost_bytes"]
    assert int(told[0].message.split()[0]) > 10_000
    with pytest.raises(UnsupportedAudio, match="no sound that can be read"):
        decode(data + bytes(MOST_LOST_BYTES + 1_000_000), 20_000)


def test_a_file_that_tells_its_layout_last_is_refused_with_the_way_out(speech: Pcm, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedAudio, match="fragmented mp4"):
        decode(encoded(speech, "mp4", "aac", 44_100, {}, path=tmp_path / "a.mp4"), 20_000)


NO_CONTAINERS = [
    b"\x00" * 5000,
    b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n",
    b"ffconcat version 1.0\nfile /etc/passwd\n",
    b"\x1aE\xdf\xa3" + b"\xff" * 500,
    b"OggS" + b"\x00" * 4000,
    b"plain text " * 2000,
    np.random.default_rng(1).bytes(100_000),  # contains an aac frame by chance
    b"ID3\4\0\0" * 5000,
    b"RIFF\0\0\0\0WAVEfmt " * 1000,
]


@pytest.mark.parametrize("junk", NO_CONTAINERS)
def test_what_is_no_audio_container_is_refused(junk: bytes) -> None:
    with pytest.raises(UnsupportedAudio):
        decode(junk)


def test_a_little_sound_does_not_make_megabytes_of_something_else_audio(speech: Pcm) -> None:
    with pytest.raises(UnsupportedAudio):
        decode(encoded(speech[:16_000], *FORMATS["adts"]) + bytes(2_000_000), 60_000)


def test_mp3_that_begins_inside_a_frame_is_heard(speech: Pcm) -> None:
    data = encoded(speech, "mp3", "libmp3lame", 44_100, {"id3v2_version": "0", "write_xing": "0"})
    pcm = decode(data[1000:])
    assert abs(len(pcm) - len(speech)) <= 2500
    assert progress(data[1000:])[0].consumed <= 20_000


def test_pictures_without_sound_are_refused() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as muxer:
        stream: Any = muxer.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for packet in (*stream.encode(av.VideoFrame(64, 64, "yuv420p")), *stream.encode(None)):
            muxer.mux(packet)
    with pytest.raises(UnsupportedAudio, match="audio stream"):
        decode(out.getvalue())


KINDS = ("wav", "ogg/opus", "webm as MediaRecorder makes it", "flac", "fragmented mp4", "mp3")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_acknowledged_was_heard_or_is_said(speech: Pcm, data: st.DataObject) -> None:
    """Complete recordings, truncated ones and garbage, in any order."""
    parts, whole, sound = [], 0, True
    for _ in range(data.draw(st.integers(1, 4))):
        what = data.draw(st.sampled_from(["whole", "whole", "cut", "garbage"]))
        recording = encoded(speech[:32_000], *FORMATS[data.draw(st.sampled_from(KINDS))])
        if what == "whole":
            whole += 1
            parts.append(recording)
        elif what == "cut":
            parts.append(recording[: data.draw(st.integers(0, len(recording)))])
        else:
            sound = False
            parts.append(data.draw(st.randoms(use_true_random=False)).randbytes(40_000))
    told: list[AudioWarning] = []
    try:
        pcm = decode(b"".join(parts), data.draw(st.sampled_from([700, 5000, 60_000])), told)
    except UnsupportedAudio:
        assert not (sound and whole), "only what cannot be heard is refused"
    else:
        assert len(pcm) >= whole * 30_000
        assert sound or "lost_bytes" in [warning.code for warning in told]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_raise_anything_but_a_refusal(speech: Pcm, data: st.DataObject) -> None:
    good = encoded(speech[:16_000], *FORMATS["ogg/opus"])
    noise = data.draw(st.binary(max_size=600))
    at = data.draw(st.integers(0, len(good)))
    for broken in (noise, good[:at] + noise + good[at + len(noise) :]):
        try:
            told: list[AudioWarning] = []
            pcm = decode(broken, 500, told)
        except Refusal as refusal:
            assert refusal.code == "unsupported_audio"  # noqa: PT017 - either way is right
        else:
            assert len(pcm) or told or not broken
