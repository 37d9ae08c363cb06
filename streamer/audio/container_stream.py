"""All recordings of a container stream, decoded one after the other, and what of its bytes did not become sound."""

from collections.abc import Callable

import structlog
from av.error import FFmpegError

from captions.audio import Pcm
from captions.audio_warnings import AudioWarning, WarningCode
from captions.errors import UnsupportedAudio
from streamer.audio.demux import NOT_A_CONTAINER, Outcome, Resampler, decode_recording
from streamer.audio.pipe import BytePipe
from streamer.audio.recordings import Recordings
from streamer.audio.signatures import LONGEST, Kind, begun_signature

logger = structlog.get_logger(__name__)

MOST_LOST_BYTES = 256 * 1024
"""Bytes in a row that may be no sound before the stream is refused."""

LOST_SAID_FROM = 64
"""Lost bytes that are worth a warning: padding is less."""

STRUCTURE_BYTES = 4096
"""Bytes of tags and first packets that give no sound yet, and of what stands behind the last packet."""

PACKET_OVERHEAD, MP4_OVERHEAD, INDEXED_PACKET = 40, 256, 8
"""Bytes that go with a packet: in headers of pages and clusters, in those of mp4's fragments, in an index."""

MOST_WITHOUT_SOUND = 50
"""Recordings in a row that may end before any sound: each costs a demuxer."""

HEADERS, FLAC_HEADERS = 8 * 1024, 64 * 1024
"""Bytes that the headers of a recording take: one that ends within them had no time for sound. Flac's have padding."""


class ContainerStream:
    """Decodes ``pipe`` to its end, giving ``put`` samples and the offset before which all bytes are in them or said.

    Bytes that did not become sound are told by ``warn``. The caller's thread.
    """

    def __init__(self, pipe: BytePipe, put: Callable[[Pcm, int], None], warn: Callable[[AudioWarning], None]) -> None:
        self._recordings = Recordings(pipe)
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

        Raises ``UnsupportedAudio`` where the stream begins as no container, where one cannot be read, and where too
        many bytes in a row are no sound; passes on what ``put`` raises.
        """
        while self._recordings.next():
            outcome = Outcome()
            try:
                decode_recording(self._recordings, self._resampler, self._put, outcome)
            except (FFmpegError, ValueError) as error:
                logger.debug("recording_not_read", error=str(error), kind=self._recordings.kind)
                if outcome.samples or not (self._any_sound or self._barely_begun() or self._recordings.followed):
                    raise UnsupportedAudio(NOT_A_CONTAINER) from error
                outcome = Outcome()
            self._account(outcome)
            self._any_sound = self._any_sound or outcome.samples > 0
            self._after_wav_end = self._recordings.declared_end is not None

    def _account(self, outcome: Outcome) -> None:
        """Count what of a recording was no sound."""
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
        """Another recording without sound; one of ``length`` bytes ended within its headers."""
        self._without_sound += 1
        if self._without_sound > MOST_WITHOUT_SOUND:
            raise UnsupportedAudio(f"{self._without_sound} recordings in a row hold no sound; check the recorder")
        if length:
            text = f"A recording of {length} bytes ended before any sound. Check the recorder if you spoke."
            self._warn(AudioWarning(WarningCode.NO_SOUND, text))

    def _barely_begun(self) -> bool:
        """Whether the recording ended within its headers."""
        source = self._recordings
        if not _is_a_beginning(source.first[: max(source.length, 1)], source.kind):
            return False
        most = FLAC_HEADERS if source.kind is Kind.FLAC else HEADERS
        while source.length <= most and source.read():
            pass
        return source.exhausted and source.length <= most

    def _lose_the_rest(self, *, after: int = 0) -> None:
        """What the demuxer left unread, but for what comes before ``after`` bytes of the recording."""
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
            raise UnsupportedAudio(f"{self._what_was_lost()} End the stream there, or send what can be heard")
        if self._lost >= LOST_SAID_FROM:
            self._warn(AudioWarning(WarningCode.LOST_BYTES, self._what_was_lost()))

    def _what_was_lost(self) -> str:
        text = f"{self._lost} bytes, from byte {self._first_lost} on, are no sound that can be read."
        if self._after_wav_end:
            text += " They follow a WAV file that ended by its header; write 0xFFFFFFFF as the length of a stream."
        return text


def _is_a_beginning(first: bytes, kind: Kind | None) -> bool:
    """Whether a recording may begin so: with a signature or part of one, or with a frame of mp3 or aac."""
    frame = first[:1] == b"\xff" and (len(first) == 1 or first[1] >= 0xE0)
    return kind is not None or frame or (len(first) < LONGEST and begun_signature(first, 0) == 0)
