"""Splits one container stream into recordings. A demuxer reads each of them as a file.

Some recorders begin a new file within the stream, for example a WAV header before every slice. A recording ends where
the signature of another one begins, and a WAV file ends where its header says.
"""

import re
import struct
from typing import Protocol

from streamer.audio.signatures import LONGEST, Kind, begun_signature, kind_at, next_signature

_READ = 65_536
_LOOKED_BEHIND = 10  # bytes before a signature show whether it is part of other data
_LONGEST_WAV_HEADER = 65_536
_UNKNOWN_SIZES = (0, 0x7FFFFFFF)  # the data chunk of a live stream has size 0, or at least this
_TAG_HEADER = 10
_IN_PICTURES = frozenset({Kind.MP4, Kind.ID3})  # signatures that a picture in a tag may contain
_LATER_OGG_PAGE = re.compile(rb"OggS\0[\0\1\4\5]")


class Source(Protocol):
    """The bytes of a stream."""

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes as soon as there are any; none at the end. Blocks."""
        ...


class Recordings:
    """Splits the bytes of ``stream`` into recordings. ``next`` begins one, ``read`` returns its bytes. Both block."""

    def __init__(self, stream: Source) -> None:
        self._stream = stream
        self._past = b""
        self._held = b""
        self._clear = 0
        self._scanned = 0
        self._whole = True
        self._ended = False
        self.kind: Kind | None = None
        self.begin = 0
        self.length = 0
        self.first = b""
        self._tag = 0
        self._end: int | None = None
        self._header = b""
        self._later_pages = False

    @property
    def position(self) -> int:
        """The number of bytes of the stream that were returned so far."""
        return self.begin + self.length

    @property
    def exhausted(self) -> bool:
        """Whether all bytes of this recording were returned, as far as is known."""
        return not self._clear and (self._whole or (self._ended and not self._held))

    @property
    def followed(self) -> bool:
        """Whether another recording begins where this one ended."""
        return not self._clear and self._whole and bool(self._held)

    @property
    def declared_end(self) -> int | None:
        """The size of this recording in bytes by its WAV header, once known."""
        return self._end

    def next(self) -> bool:
        """Begin the next recording, once its kind is known. Returns False at the end of the stream.

        The recording before must be exhausted.
        """
        while not self._held or (
            not self._ended and kind_at(self._held) is None and begun_signature(self._held, 0) == 0
        ):
            if not self._fill():
                break
        if not self._held:
            return False
        self.begin, self.length = self.position, 0
        self.kind = self._known_kind()
        self.first = self._held[: 2 * LONGEST]
        self._tag = _tag_length(self._held) if self.kind is Kind.ID3 else 0
        self._whole, self._later_pages = False, False
        self._end, self._header = None, b""
        self._clear, self._scanned = 0, 1  # after its own signature
        self._scan(self._held)
        return True

    def _known_kind(self) -> Kind | None:
        kind = kind_at(self._held)
        if kind is not Kind.ID3:
            return kind
        while len(self._held) < _TAG_HEADER + LONGEST and self._fill():
            pass
        within = next_signature(self._held, 1)  # a truncated tag may be followed by another recording's signature
        return None if within is not None and within[0] < _TAG_HEADER else kind

    def read(self, size: int = _READ) -> bytes:
        """Return at most ``size`` bytes of this recording as soon as there are any; none at its end."""
        while not self._clear and not self._whole:
            before = len(self._held)
            if not self._fill():
                self._clear = len(self._held)
                break
            self._scan(self._held[before:])
        given = self._held[: min(self._clear, size if size >= 0 else _READ)]
        self._held = self._held[len(given) :]
        self._past = (self._past + given)[-_LOOKED_BEHIND:]
        self._clear -= len(given)
        self._scanned -= len(given)
        self.length += len(given)
        return given

    def pass_over(self) -> int:
        """Read this recording to its end. Returns the number of bytes."""
        begin = self.length
        while self.read():
            pass
        return self.length - begin

    def _fill(self) -> bool:
        data = b"" if self._ended else self._stream.read(_READ)
        self._held += data
        self._ended = self._ended or not data
        return not self._ended

    def _scan(self, new: bytes) -> None:
        """Determine how many of the buffered bytes belong to this recording."""
        if self.kind is Kind.WAV and self._end is None and len(self._header) < _LONGEST_WAV_HEADER:
            self._header += new
            self._end = wav_length(self._header)
        begin = max(self._clear, self._scanned)
        boundary = self._boundary(begin) if begin < len(self._held) else None
        if self._end is not None:
            end = self._end - self.length
            if end <= len(self._held) and (boundary is None or end < boundary):
                boundary = end
        if boundary is not None:
            self._clear, self._whole = boundary, True
            return
        self._clear = len(self._held) if self._ended else begun_signature(self._held, begin)
        self._scanned = max(self._scanned, self._clear)

    def _boundary(self, begin: int) -> int | None:
        data, before = self._past + self._held, len(self._past)
        at = before + begin
        while (found := next_signature(data, at)) is not None:
            position, kind = found
            if kind is Kind.OGG and self.kind is Kind.OGG:
                self._later_pages = self._later_pages or _LATER_OGG_PAGE.search(data, at, position) is not None
            offset = position - before + self.length
            pictured = offset < self._tag and kind in _IN_PICTURES
            along = kind is Kind.OGG and self.kind is Kind.OGG and not self._later_pages  # a stream of the same file
            if not (pictured or along or (self._tag and offset == self._tag)):
                return position - before
            at = position + 1
        if self.kind is Kind.OGG:
            self._later_pages = self._later_pages or _LATER_OGG_PAGE.search(data, max(0, at - 6)) is not None
        return None


def wav_length(header: bytes) -> int | None:
    """The size of a WAV file in bytes by its header; None if the header does not tell it, or not yet.

    ``header`` holds the file's first bytes. Data after the sound belongs to the file if the RIFF chunk includes it. A
    data chunk of 0 bytes or 2 GiB belongs to a live stream, whose length was unknown when the header was written.
    """
    riff = 8 + int(struct.unpack_from("<I", header, 4)[0]) if len(header) >= 8 else 0
    at = 12
    while at + 8 <= len(header):
        name, size = header[at : at + 4], int(struct.unpack_from("<I", header, at + 4)[0])
        if name == b"data":
            if size == _UNKNOWN_SIZES[0] or size >= _UNKNOWN_SIZES[1]:
                return None
            sound_end = at + 8 + size
            return riff if sound_end <= riff <= sound_end + _LONGEST_WAV_HEADER else sound_end
        at += 8 + size + size % 2
    return None


def _tag_length(data: bytes) -> int:
    """The size in bytes of the ID3v2 tag at the beginning of ``data``."""
    size = 0
    for seven_bits in data[6:10]:
        size = size << 7 | seven_bits
    return _TAG_HEADER + size
