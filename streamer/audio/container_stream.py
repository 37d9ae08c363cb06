"""Decodes all recordings of a container stream in order, and counts the bytes that hold no sound."""

from collections.abc import Callable

from av.error import FFmpegError

from captions.audio import Pcm
from captions.audio_warnings import AudioWarning, WarningCode
from captions.errors import UnsupportedAudio
from streamer.audio.demux import NOT_A_CONTAINER, Outcome, Resampler, decode_recording
from streamer.audio.recordings import Recordings, Source
from streamer.audio.signatures import LONGEST, Kind, begun_signature

MOST_LOST_BYTES = 256 * 1024
"""Consecutive bytes without sound after which the stream is refused."""

LOST_SAID_FROM = 64
"""Lost bytes from which on there is a warning. Padding is shorter."""

STRUCTURE_BYTES = 4096
"""Bytes without sound that are normal: tags and first packets, and data after the last packet."""

PACKET_OVERHEAD, MP4_OVERHEAD, INDEXED_PACKET = 40, 256, 8
"""Bytes of structure per packet: in headers of pages and clusters, in headers of mp4 fragments, in an index."""

MOST_WITHOUT_SOUND = 50
"""Consecutive recordings without sound that are allowed. Each costs a demuxer."""

HEADERS, FLAC_HEADERS = 8 * 1024, 64 * 1024
"""Longest headers of a recording, in bytes. A recording that ends within them has no sound. Flac's have padding."""


class ContainerStream:
    """Decodes the bytes of ``stream`` to their end.

    ``put`` is called with samples, and with the stream offset up to which all bytes are decoded or counted as lost.
    ``warn`` is called with warnings about lost bytes.
    """

    def __init__(self, stream: Source, put: Callable[[Pcm, int], None], warn: Callable[[AudioWarning], None]) -> None:
        self._recordings = Recordings(stream)
        self._resampler = Resampler()
        self._put = put
        self._warn = warn
        self._any_sound = False
        self._lost = self._without_sound = 0
        self._lost_in_a_row = 0
        self._first_lost: int | None = None
        self._after_wav_end = False

    def decode(self) -> None:
        """Decode all recordings.

        Raises ``UnsupportedAudio`` if the stream does not begin with a container, if a recording cannot be read, or if
        too many consecutive bytes hold no sound. Raises ``MemoryError``. Exceptions of ``put`` propagate.
        """
        while self._recordings.next():
            outcome = Outcome()
            try:
                decode_recording(self._recordings, self._resampler, self._put, outcome)
            except MemoryError:  # FFmpeg's too
                raise
            except (FFmpegError, ValueError) as error:
                if outcome.samples or not (self._any_sound or self._barely_begun() or self._recordings.followed):
                    raise UnsupportedAudio(NOT_A_CONTAINER) from error
                outcome = Outcome()
            self._account(outcome)
            self._any_sound = self._any_sound or outcome.samples > 0
            self._after_wav_end = self._recordings.declared_end is not None

    def _account(self, outcome: Outcome) -> None:
        """Count the bytes of a recording that hold no sound."""
        source = self._recordings
        if outcome.samples:
            self._lost_in_a_row = self._without_sound = 0
            overhead = MP4_OVERHEAD if source.kind is Kind.MP4 else PACKET_OVERHEAD
            between = outcome.passed_over - STRUCTURE_BYTES - overhead * outcome.packets
            self._lose(between, source.begin + (outcome.passed_over_from or 0))
            behind = source.length - outcome.reach - STRUCTURE_BYTES - INDEXED_PACKET * outcome.packets
            self._lose(behind, source.begin + outcome.reach)
            self._lose_the_rest(after=source.declared_end or 0)
        elif self._barely_begun():
            self._without(source.length)
        elif self._any_sound or source.followed:
            self._without(0)
            self._lose(source.length, source.begin)
            self._lose_the_rest()
        else:
            raise UnsupportedAudio("the container holds no sound; send one that does")

    def _without(self, length: int) -> None:
        """Count a recording without sound. If it ended within its headers, ``length`` is its size, else 0."""
        self._without_sound += 1
        if self._without_sound > MOST_WITHOUT_SOUND:
            raise UnsupportedAudio(f"{self._without_sound} recordings in a row hold no sound; check the recorder")
        if length:
            text = f"A recording of {length} bytes ended before any sound. Check the recorder if you spoke."
            self._warn(AudioWarning(WarningCode.NO_SOUND, text))

    def _barely_begun(self) -> bool:
        """Whether the recording ended within its headers. Reads on if that is not known yet."""
        source = self._recordings
        if not _is_a_beginning(source.first[: max(source.length, 1)], source.kind):
            return False
        most = FLAC_HEADERS if source.kind is Kind.FLAC else HEADERS
        while source.length <= most and source.read():
            pass
        return source.exhausted and source.length <= most

    def _lose_the_rest(self, *, after: int = 0) -> None:
        """Count the bytes that the demuxer did not read, except for the first ``after`` bytes of the recording."""
        source = self._recordings
        while data := source.read():
            self._lose(min(len(data), source.length - after), source.position - len(data))

    def _lose(self, lost: int, offset: int) -> None:
        if lost <= 0:
            return
        if self._first_lost is None:
            self._first_lost = offset
        self._lost += lost
        self._lost_in_a_row += lost
        if self._lost_in_a_row > MOST_LOST_BYTES:
            raise UnsupportedAudio(f"{self._what_was_lost()} End the stream there, or send only audio")
        if self._lost >= LOST_SAID_FROM:
            self._warn(AudioWarning(WarningCode.LOST_BYTES, self._what_was_lost()))

    def _what_was_lost(self) -> str:
        text = f"{self._lost} bytes, from byte {self._first_lost} on, are no sound that can be read."
        if self._after_wav_end:
            text += " They follow a WAV file that ended by its header; write 0xFFFFFFFF as the length of a stream."
        return text


def _is_a_beginning(first: bytes, kind: Kind | None) -> bool:
    """Whether ``first`` may begin a recording: with a signature, a part of one, or a frame of mp3 or aac."""
    frame = first[:1] == b"\xff" and (len(first) == 1 or first[1] >= 0xE0)
    return kind is not None or frame or (len(first) < LONGEST and begun_signature(first, 0) == 0)
