"""The signatures with which containers begin. They are long enough that sound does not contain them by chance.

Sources: RIFF/WAVE (Microsoft and IBM 1991) and EBU Tech 3306 (RF64), RFC 3533 (Ogg), RFC 8794 (EBML), RFC 9639 (FLAC),
ISO/IEC 14496-12 (ftyp), id3.org (ID3v2). MP3 and ADTS have no signature.
"""

import re
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of data that begin with a signature. ``ID3`` is a tag before mp3, aac or flac."""

    WAV = "wav"
    OGG = "ogg"
    MATROSKA = "webm"
    FLAC = "flac"
    MP4 = "mp4"
    ID3 = "id3"


_BYTES: dict[Kind, tuple[bytes, ...]] = {
    # RIFF or RF64, size, WAVE, the name of a chunk
    Kind.WAV: (b"R", b"[IF]", b"[F6]", b"[F4]", *([b"."] * 4), b"W", b"A", b"V", b"E", *([b"[A-Za-z0-9_ ]"] * 4)),
    # version 0, a logical stream's first page, position 0, serial, page 0
    Kind.OGG: (b"O", b"g", b"g", b"S", rb"\0", rb"[\2\6]", *([rb"\0"] * 8), *([b"."] * 4), *([rb"\0"] * 4)),
    Kind.FLAC: (b"f", b"L", b"a", b"C", rb"[\0\x80]", rb"\0", rb"\0", rb"\x22"),
    # a box of under 128 KiB, the brand
    Kind.MP4: (rb"\0", rb"[\0\1]", b".", b".", b"f", b"t", b"y", b"p", *([b"[A-Za-z0-9 ]"] * 4)),
    # version 2 to 4, flags, a size of four times seven bits
    Kind.ID3: (b"I", b"D", b"3", rb"[\2-\4]", rb"\0", rb"[\0\x10\x20\x40\x80\xc0\xe0\xf0]", *([rb"[\0-\x7f]"] * 4)),
}
"""For each kind, a regular expression for each byte."""

_EBML = rb"\x1a\x45\xdf\xa3"
_DOCTYPE_WITHIN = 56
"""Bytes of an EBML header that may precede its document type."""

_IN_EBML = rb"[^\x1aROIf]"
"""The bytes that may occur there: all except those with which another signature begins."""


def _beginning_of(classes: tuple[bytes, ...]) -> bytes:
    """A pattern for the first bytes, at least one, of the signature that ``classes`` describe."""
    nested = b""
    for one in reversed(classes):
        nested = one + (b"(?:" + nested + b")?" if nested else b"")
    return nested


_SIGNATURE = re.compile(
    b"|".join(
        [
            *(b"(?P<" + kind.name.encode() + b">" + b"".join(classes) + b")" for kind, classes in _BYTES.items()),
            b"(?P<MATROSKA>"
            + _EBML
            + _IN_EBML
            + b"{1,%d}?" % _DOCTYPE_WITHIN
            + rb"\x42\x82[\x84\x88](?:webm|matroska))",
        ]
    ),
    re.DOTALL,
)
_BEGUN = re.compile(
    b"(?:"
    + b"|".join(
        [
            *map(_beginning_of, _BYTES.values()),
            rb"\x1a(?:\x45(?:\xdf(?:\xa3" + _IN_EBML + b"{0,%d})?)?)?" % (_DOCTYPE_WITHIN + 11),
        ]
    )
    + rb")\Z",
    re.DOTALL,
)
LONGEST = 4 + _DOCTYPE_WITHIN + 11
"""Length of the longest signature in bytes."""

_WITHIN = {
    Kind.FLAC: re.compile(rb"\x7fFLAC.{4}\Z|\x63\xa2.{1,4}\Z", re.DOTALL),
    Kind.ID3: re.compile(rb"[Ii][Dd]3 .{4}\Z", re.DOTALL),
}
"""Bytes before a signature that is part of other data: FLAC in Ogg and Matroska, a tag in WAV."""


_ANCHORS = ((b"WAVE", 8), (b"OggS", 0), (b"\x1a\x45\xdf\xa3", 0), (b"fLaC", 0), (b"ftyp", 4), (b"ID3", 0))
"""Fixed bytes of each signature for a fast search, and their index in the signature."""


def kind_at(data: bytes, at: int = 0) -> Kind | None:
    """The kind of data that begins at index ``at``; None if there is no complete signature."""
    found = _SIGNATURE.match(data, at)
    return None if found is None else Kind[str(found.lastgroup)]


def next_signature(data: bytes, begin: int) -> tuple[int, Kind] | None:
    """The index and kind of the first signature at or after ``begin``. Also looks at the bytes before a signature."""
    found = [first for first in (_first(data, begin, *anchor) for anchor in _ANCHORS) if first is not None]
    return min(found, default=None)


def _first(data: bytes, begin: int, literal: bytes, before: int) -> tuple[int, Kind] | None:
    at = data.find(literal, begin + before)
    while at >= 0:
        kind = kind_at(data, at - before)
        around = None if kind is None else _WITHIN.get(kind)
        if kind is not None and (around is None or not around.search(data[max(0, at - before - 10) : at - before])):
            return at - before, kind
        at = data.find(literal, at + 1)
    return None


def begun_signature(data: bytes, begin: int) -> int:
    """The index of an incomplete signature at the end of ``data``, not before ``begin``; its length if none."""
    found = _BEGUN.search(data, max(begin, len(data) - LONGEST + 1))
    return len(data) if found is None else found.start()
