"""Where one recording ends and the next begins, however the bytes are split."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.recordings import Recordings, wav_length
from streamer.audio.signatures import LONGEST, begun_signature, kind_at, next_signature
from tests.streamer.audio.decoding import Pieces

PLAIN = st.binary(max_size=300).map(lambda data: data.translate(bytes.maketrans(b"\x1a\xffRWOfI", b"\x1b\x7frwoFi")))
"""Bytes with which neither frames nor signatures begin."""

HEADERS = {
    "wav": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + bytes(16) + b"data\xff\xff\xff\xff",
    "ogg": b"OggS\0\x02" + bytes(8) + b"abcd" + bytes(4) + b"crc!\x01\x13OpusHead",
    "webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\x82\x84webm\x42\x87\x81\x04",
    "matroska": b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x23\x42\x86\x81\x01\x42\x82\x88matroska",
    "flac": b"fLaC\0\0\0\x22" + bytes(34),
    "mp4": b"\0\0\0\x18ftypiso5\0\0\x02\0iso6mp41",
    "id3": b"ID3\x04\0\0\0\0\0\x0a" + bytes(10),
}
LATER_OGG_PAGE = b"OggS\0\0" + bytes(20)
BEHIND = {"ogg": LATER_OGG_PAGE, "id3": b"\xff\xfb\x90\x64"}
"""Data that follows a recording's beginning. Without it, a second beginning may belong to the same recording."""


def cut(data: bytes, sizes: Sequence[int] = ()) -> list[tuple[str | None, bytes]]:
    """Kind and bytes of each recording of ``data``, which arrives in pieces of ``sizes``."""
    recordings = Recordings(Pieces(data, sizes))
    found: list[tuple[str | None, bytes]] = []
    while recordings.next():
        parts = []
        while part := recordings.read(7 if len(data) < 200 else 1000):
            parts.append(part)
        found.append((recordings.kind, b"".join(parts)))
        assert recordings.exhausted
        assert recordings.length == len(found[-1][1])
    assert recordings.position == len(data)
    return found


RECORDING = st.tuples(st.sampled_from(sorted(HEADERS)), PLAIN).map(
    lambda drawn: (drawn[0], HEADERS[drawn[0]] + BEHIND.get(drawn[0], b"") + drawn[1])
)


@given(st.lists(RECORDING, max_size=6), st.lists(st.integers(1, 90), max_size=60))
def test_recordings_are_told_apart_wherever_the_stream_is_cut(
    recordings: list[tuple[str, bytes]], sizes: list[int]
) -> None:
    expected = [("webm" if kind == "matroska" else kind, data) for kind, data in recordings]
    assert cut(b"".join(data for _, data in recordings), sizes) == expected


@given(
    st.lists(
        st.one_of(PLAIN, st.sampled_from(sorted(HEADERS.values())), RECORDING.map(lambda r: r[1][: len(r[1]) // 2]))
    ),
    st.lists(st.integers(1, 90), max_size=60),
)
def test_no_byte_is_lost_or_told_twice(parts: list[bytes], sizes: list[int]) -> None:
    data = b"".join(parts)
    assert b"".join(part for _, part in cut(data, sizes)) == data
    assert cut(data, sizes) == cut(data)


@given(st.sampled_from(sorted(HEADERS.values())), PLAIN, st.integers(1, LONGEST))
def test_part_of_a_signature_is_waited_for(header: bytes, before: bytes, length: int) -> None:
    signature = next(size for size in range(1, LONGEST + 1) if kind_at(header[:size]) is not None)
    data = before + header[: min(length, signature - 1)]
    assert begun_signature(data, 0) <= len(before)
    assert next_signature(before + header, 0) == (len(before), kind_at(header))


@given(PLAIN, PLAIN, st.lists(st.integers(1, 90), max_size=20))
def test_a_wav_ends_where_its_header_says(sound: bytes, behind: bytes, sizes: list[int]) -> None:
    header = b"RIFF" + struct.pack("<I", 36 + len(sound)) + HEADERS["wav"][8:-4] + struct.pack("<I", len(sound))
    expected = [("wav", header + (sound or behind)), *([(None, behind)] if sound and behind else [])]
    assert [data for _, data in cut(header + sound + behind, sizes)] == [data for _, data in expected]


def test_what_stands_behind_the_sound_belongs_to_a_wav_where_it_says_so() -> None:
    chunk = b"LIST\x04\0\0\0INFO"
    header = b"RIFF" + struct.pack("<I", 36 + 100 + len(chunk)) + HEADERS["wav"][8:-4] + struct.pack("<I", 100)
    assert wav_length(header) == len(header) + 100 + len(chunk)
    assert wav_length(header[:40]) is None
    assert wav_length(b"RIFF" + struct.pack("<I", 36) + header[8:]) == len(header) + 100
    assert wav_length(HEADERS["wav"]) is None


def test_what_looks_like_a_beginning_and_is_part_of_something_is_passed_over() -> None:
    ogg_flac = HEADERS["ogg"][:-8] + b"\x7fFLAC\x01\0\0\x01" + HEADERS["flac"] + LATER_OGG_PAGE + bytes(50)
    matroska_flac = HEADERS["matroska"] + b"\x63\xa2\xaa" + HEADERS["flac"] + bytes(50)
    tagged_flac = HEADERS["id3"] + HEADERS["flac"] + bytes(50)
    two_streams = HEADERS["ogg"] + HEADERS["ogg"] + LATER_OGG_PAGE + bytes(50)
    picture = b"ID3\x04\0\0\0\0\x01\x00" + HEADERS["mp4"] + bytes(128 - len(HEADERS["mp4"])) + b"\xff\xfb\x90\x64"
    for data in (ogg_flac, matroska_flac, tagged_flac, two_streams, picture):
        assert [part for _, part in cut(data, [5] * 40)] == [data]


@pytest.mark.parametrize("length", range(16, 45))
def test_a_tag_behind_a_wav_header_that_breaks_off_begins_a_recording(length: int) -> None:
    wav, tagged = HEADERS["wav"][:length], HEADERS["id3"] + b"\xff\xfb\x90\x64" + bytes(50)
    if length < len(HEADERS["wav"]):
        assert cut(wav + tagged) == cut(wav + tagged, [4] * 40) == [("wav", wav), ("id3", tagged)]


@pytest.mark.parametrize("length", range(1, 20))
def test_a_recording_behind_the_beginning_of_a_tag_is_found(length: int) -> None:
    tag, wav = HEADERS["id3"][:length], HEADERS["wav"] + bytes(50)
    assert cut(tag + wav) == cut(tag + wav, [4] * 30) == [("id3" if length >= 10 else None, tag), ("wav", wav)]
