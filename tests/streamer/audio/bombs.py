"""Containers that claim or cost much more than they hold. They come in pieces."""

import itertools
import struct
from collections.abc import Callable, Iterator

import numpy as np

from tests.streamer.audio.encoding import FORMATS, encoded

HOUR = 3600
ENDLESS = b"\x01\xff\xff\xff\xff\xff\xff\xff"
"""The size of a Matroska element whose length is unknown."""

EBML = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581 02")
SEGMENT, TAGS, TAG, SIMPLE_TAG = (bytes.fromhex(name) for name in ("18538067", "1254c367", "7373", "67c8"))


def wav_header(rate: int, size: int = 0xFFFFFFFF) -> bytes:
    """A WAV header of mono PCM16 with this rate in Hz, and the size of its sound in bytes."""
    riff, chunk = min(36 + size, 0xFFFFFFFF), (b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", riff, b"WAVE", *chunk, b"data", size)


def wav_of_another_rate() -> Iterator[bytes]:
    """8 kHz by its header, and the samples of 10 s at 384 kHz: eight minutes."""
    yield wav_header(8_000)
    second = (300 * np.sin(np.arange(384_000) / 300)).astype("<i2").tobytes()
    for _ in range(10):
        yield from _pieces(second)


def wav_of_a_high_rate() -> Iterator[bytes]:
    """384 kHz by its header, which no microphone needs."""
    yield wav_header(384_000)
    yield from _zeros(200_000)


def tiny_recordings(count: int = 4_000) -> Iterator[bytes]:
    """WAV files of one sample each. Every one costs a demuxer."""
    for _ in range(0, count, 100):
        yield (wav_header(16_000, 2) + b"\1\1") * 100


def ogg_of_hours() -> Iterator[bytes]:
    """Each page claims to end a thousand hours after the one before."""
    data = bytearray(encoded(np.zeros(16_000 * 20, np.int16), *FORMATS["ogg/opus"]))
    at = data.find(b"OggS")
    pages = 0
    while at >= 0:
        following = data.find(b"OggS", at + 4)
        end = following if following >= 0 else len(data)
        if pages > 1:
            struct.pack_into("<q", data, at + 6, pages * 1000 * HOUR * 48_000)
            data[at + 22 : at + 26] = bytes(4)
            struct.pack_into("<I", data, at + 22, _crc(data[at:end], 32, 0x04C11DB7))
        pages += 1
        at = following
    yield from _pieces(bytes(data))


def webm_of_nested_elements() -> Iterator[bytes]:
    """Segments within segments, then tags within tags, a hundred thousand levels deep, all of unknown length."""
    yield EBML
    for _ in range(100):
        yield (SEGMENT + ENDLESS) * 1000
    yield TAGS + ENDLESS + TAG + ENDLESS
    for _ in range(100):
        yield (SIMPLE_TAG + ENDLESS) * 1000


def webm_of_nested_tags() -> Iterator[bytes]:
    """The same with tags only."""
    yield EBML + SEGMENT + ENDLESS + TAGS + ENDLESS + TAG + ENDLESS
    for _ in range(200):
        yield (SIMPLE_TAG + ENDLESS) * 1000


def flac_of_a_huge_block() -> Iterator[bytes]:
    """A block of metadata, a picture, claims 16 MB, and comes."""
    yield b"fLaC" + _stream_info(44_100, 1)
    yield b"\x86\xff\xff\xff" + struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">IIIIII", 0, 9, 9, 9, 0, 2**31)
    yield from _zeros(2**24)


def flac_of_silence() -> Iterator[bytes]:
    """34 bytes for each 16 s of silence on eight channels: blocks of 65,535 samples at 4 kHz, an hour in all."""
    yield b"fLaC" + b"\x80" + _stream_info(4_000, 8)[1:]
    for frame in range(220):
        header = b"\xff\xf8\x70\x70" + (bytes([frame]) if frame < 128 else chr(frame).encode()) + b"\xff\xfe"
        header += bytes([_crc(header, 8, 0x07)])
        block = header + b"\0\0\0" * 8
        yield block + struct.pack(">H", _crc(block, 16, 0x8005))


def mp4_of_four_gigabytes() -> Iterator[bytes]:
    """A moov of 4 GB, with a table of a quarter of a billion entries in it."""
    table = struct.pack(">I4sII", 2**31, b"stts", 0, 2**28)
    for name in (b"stbl", b"minf", b"mdia", b"trak"):
        table = struct.pack(">I4s", 2**31, name) + table
    yield b"\0\0\0\x18ftypiso5\0\0\2\0iso6mp41" + struct.pack(">I4sQ", 1, b"moov", 2**32) + table
    yield from _zeros(2**26)


def mp3_of_a_huge_tag() -> Iterator[bytes]:
    """A tag of 250 MB, of which one picture, and comes."""
    size = 250 * 2**20
    sizes = [bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0)) for length in (size, size - 10)]
    yield b"ID3\4\0\0" + sizes[0] + b"APIC" + sizes[1] + b"\0\0" + b"\0image/png\0\3\0"
    yield from _zeros(2**26)


BOMBS: tuple[Callable[[], Iterator[bytes]], ...] = (
    ogg_of_hours,
    webm_of_nested_elements,
    webm_of_nested_tags,
    flac_of_a_huge_block,
    flac_of_silence,
    mp4_of_four_gigabytes,
    mp3_of_a_huge_tag,
    wav_of_another_rate,
    wav_of_a_high_rate,
    tiny_recordings,
)


def _stream_info(rate: int, channels: int) -> bytes:
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36
    return b"\0\0\0\x22" + struct.pack(">HH", 65_535, 65_535) + bytes(6) + struct.pack(">Q", packed) + bytes(16)


def _crc(data: bytes | bytearray, bits: int, polynomial: int) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << bits - 8
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc >> bits - 1 else 0)) & (1 << bits) - 1
    return crc


def _pieces(data: bytes) -> Iterator[bytes]:
    yield from (data[at : at + 32_000] for at in range(0, len(data), 32_000))


def _zeros(count: int) -> Iterator[bytes]:
    yield from itertools.repeat(bytes(32_000), count // 32_000)
