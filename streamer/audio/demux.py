"""Demuxing, decoding and resampling of one container by PyAV, in the caller's thread."""

from collections import deque
from collections.abc import Callable, Iterator

import av
import numpy as np
import structlog
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError

from captions.audio import NO_AUDIO, SAMPLE_RATE, Pcm, to_seconds
from captions.errors import UnsupportedAudio
from streamer.audio.pipe import BytePipe

logger = structlog.get_logger(__name__)

DEMUXERS = ("matroska", "webm", "ogg", "wav", "flac", "mp3", "mov", "mp4", "aac")
"""What FFmpeg may take the bytes for; playlists and the like, which open other files, are not among them."""

CODECS = (
    *("opus", "libopus", "vorbis", "flac", "alac", "mp3", "mp3float", "aac"),
    *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_mulaw", "pcm_alaw"),
)
"""FFmpeg's decoders that may run; its many others are old and rarely met."""

ANALYSED_MICROSECONDS = "500000"
"""Of sound that FFmpeg may hear before it gives any out; its own default is seconds."""

WAV_PROBED_BYTES = "32768"
"""FFmpeg looks for other codecs hidden in PCM, for three seconds unless it is told not to."""

SIGNATURES = ((0, b"\x1aE\xdf\xa3"), (0, b"OggS"), (0, b"RIFF"), (0, b"fLaC"), (0, b"ID3"), (4, b"ftyp"), (4, b"styp"))
"""Where in a stream's head stands what; mp3 and aac have none and may begin inside a frame."""

UNSIGNED_PROBED_BYTES = "16384"
"""Without a signature: FFmpeg would go through a megabyte before it gives up, half a minute of live audio."""

LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 4_000, 192_000, 8
"""Hz: a file that claims one sample a second would grow 16 000-fold."""

MOST_BAD_PACKETS = 50
"""In a row, once something was heard."""

MOST_BAD_PACKETS_FIRST = 5
"""Before anything was heard."""

GOOD_PACKETS_FIRST = 5
"""In a row, before a stream without a signature counts as heard: now and then random bytes hold a frame."""

HIGHEST_BYTE_RATE = 300_000
"""Bytes a second of sound in a stream without a signature: aac's most, for eight channels at 48 kHz."""

PACKETS_IN_FLIGHT = 2
"""Whose sound a codec that overlaps its frames, or the resampler, may still hold in part."""

NOT_A_CONTAINER = (
    "the bytes are no audio container that can be read as it arrives: "
    "send webm, ogg, wav, flac, mp3, aac or fragmented mp4"
)


def decode_container(source: BytePipe, put: Callable[[Pcm, int], None]) -> None:
    """Decode ``source`` to its end, giving ``put`` samples and the offset before which all bytes are in them.

    A stream that breaks off is at its end where it does, if anything was heard of it. Raises ``UnsupportedAudio``,
    and ``FFmpegError`` where the bytes are no container or stop being one, and passes on what ``put`` raises.
    """
    options = {
        "format_whitelist": ",".join(DEMUXERS),
        "codec_whitelist": ",".join(CODECS),
        "analyzeduration": ANALYSED_MICROSECONDS,
    }
    head = source.head(8)
    if head.startswith(b"RIFF"):
        options["probesize"] = WAV_PROBED_BYTES
    signed = any(head.startswith(magic, at) for at, magic in SIGNATURES)
    if not signed:
        options["formatprobesize"] = UNSIGNED_PROBED_BYTES
    with av.open(source, "r", container_options=options) as container:
        if not container.streams.audio:
            raise UnsupportedAudio("the container holds no audio stream; send one that does")
        codec = getattr(container.streams.audio[0].codec_context, "name", "something unknown")
        if codec not in CODECS:
            raise UnsupportedAudio(f"audio coded as {codec} is not taken; send opus, vorbis, aac, mp3, flac or pcm")
        heard = _decode_packets(container, source, put, needed=1 if signed else GOOD_PACKETS_FIRST)
    if not signed and source.consumed > HIGHEST_BYTE_RATE * to_seconds(heard):
        raise UnsupportedAudio(NOT_A_CONTAINER)


def _decode_packets(
    container: av.container.InputContainer, source: BytePipe, put: Callable[[Pcm, int], None], *, needed: int
) -> int:
    """Decode until the end; how many samples that was. Nothing is put before ``needed`` packets in a row are good."""
    resampler = _Resampler()
    begun: deque[int] = deque([0], maxlen=PACKETS_IN_FLIGHT)
    early: list[Pcm] = []
    bad, heard = 0, 0
    for packet in _packets(container, source):
        try:
            frames = packet.decode()
        except FFmpegError as error:
            bad += 1
            early.clear()
            logger.info("packet_skipped", error=str(error), in_a_row=bad)
            if bad >= (MOST_BAD_PACKETS if heard else MOST_BAD_PACKETS_FIRST):
                raise
            continue
        bad = 0
        pcm = _joined([resampler.resample(frame) for frame in frames])
        if packet.pos is not None and packet.pos >= begun[-1]:
            begun.append(packet.pos)
        if len(pcm):
            early.append(pcm)
        if early and (heard or len(early) >= needed):
            pcm = _joined(early)
            early.clear()
            heard += len(pcm)
            put(pcm, begun[0])
    pcm = resampler.flush()
    if not heard and (needed > 1 or not len(pcm)):
        raise UnsupportedAudio("the container holds no sound; send one that does")
    if len(pcm):
        put(pcm, source.consumed)
    return heard + len(pcm)


def _packets(container: av.container.InputContainer, source: BytePipe) -> Iterator["av.Packet[AudioStream]"]:
    """The audio's packets. Where the stream breaks off inside one, the ones before it are all there is."""
    begun = False
    try:
        for packet in container.demux(container.streams.audio[0]):
            yield packet
            begun = True
    except FFmpegError:
        if not (begun and source.exhausted):
            raise


class _Resampler:
    """Frames of any rate and layout as samples; they may change on the way, as in chained Ogg."""

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None

    def resample(self, frame: AudioFrame) -> Pcm:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is not None and shape == self._shape:
            return _samples(self._resampler.resample(frame))
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE or frame.layout.nb_channels > MOST_CHANNELS:
            raise UnsupportedAudio(
                f"audio of {frame.layout.nb_channels} channels at {frame.sample_rate} Hz is not taken; "
                f"send at most {MOST_CHANNELS} at {LOWEST_RATE} to {HIGHEST_RATE} Hz"
            )
        rest = self.flush()
        self._resampler, self._shape = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE), shape
        return _joined([rest, _samples(self._resampler.resample(frame))])

    def flush(self) -> Pcm:
        """What the filter holds back."""
        return NO_AUDIO if self._resampler is None else _samples(self._resampler.resample(None))


def _samples(frames: list[AudioFrame]) -> Pcm:
    return _joined([frame.to_ndarray().reshape(-1).astype(np.int16, copy=False) for frame in frames])


def _joined(pieces: list[Pcm]) -> Pcm:
    return np.concatenate(pieces) if pieces else NO_AUDIO
