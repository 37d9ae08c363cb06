"""Demuxing, decoding and resampling of one recording by PyAV, in the caller's thread."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
import structlog
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError

from captions.audio import NO_AUDIO, SAMPLE_RATE, Pcm, to_seconds
from captions.errors import UnsupportedAudio
from streamer.audio.mixing import Mixer
from streamer.audio.recordings import Recordings
from streamer.audio.samples import to_pcm16
from streamer.audio.signatures import Kind

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

UNSIGNED_PROBED_BYTES = "16384"
"""Without a signature, as mp3 and aac are, which may begin inside a frame.

FFmpeg would go through a megabyte before it gives up, half a minute of live audio."""

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

MOST_STRUCTURE = 1024
"""Bytes in a row, between packets or in one, that may give no sound and be no loss."""

NOT_A_CONTAINER = (
    "the bytes are no audio container that can be read as it arrives: "
    "send webm, ogg, wav, flac, mp3, aac or fragmented mp4"
)


@dataclass(slots=True)
class Outcome:
    """What became of a recording.

    ``samples`` and ``packets`` that were found in it; bytes that were ``passed_over`` between packets and in packets,
    as they gave no sound, the first ``passed_over_from``; and the ``reach`` of the last packet. Offsets are its own.
    """

    samples: int = 0
    packets: int = 0
    passed_over: int = 0
    passed_over_from: int | None = None
    reach: int = 0
    _position: int = -1

    def found(self, position: int | None, size: int) -> None:
        """Count a packet. Where it stands is not always known, and several stand where their block does."""
        if position is not None and position > self._position:
            if self.packets and position > self.reach:
                self.pass_over(position - self.reach)
            self._position = self.reach = position
        self.reach += size
        self.packets += 1

    def pass_over(self, size: int) -> None:
        """Count bytes at the reach that gave no sound."""
        if self.passed_over_from is None and size > MOST_STRUCTURE:
            self.passed_over_from = self.reach
        self.passed_over += size


def decode_recording(
    source: Recordings, resampler: "Resampler", put: Callable[[Pcm, int], None], outcome: Outcome
) -> None:
    """Decode the recording that ``source`` is at, giving ``put`` samples, and count it in ``outcome``.

    With samples goes the offset in the stream before which all bytes are in them.
    A recording that breaks off is at its end where it does, if anything was heard of it. Raises ``UnsupportedAudio``,
    and ``FFmpegError`` where the bytes are no container or stop being one, and passes on what ``put`` raises.
    """
    options = {
        "format_whitelist": ",".join(DEMUXERS),
        "codec_whitelist": ",".join(CODECS),
        "analyzeduration": ANALYSED_MICROSECONDS,
    }
    if source.kind is Kind.WAV:
        options["probesize"] = WAV_PROBED_BYTES
    signed = source.kind is not None
    if not signed:
        options["formatprobesize"] = UNSIGNED_PROBED_BYTES
    with av.open(source, "r", container_options=options) as container:
        audio = container.streams.audio
        codec = getattr(audio[0].codec_context, "name", None) if audio else None
        if codec is None and source.exhausted and not container.streams.video:
            return  # it broke off within its headers
        if not audio:
            raise UnsupportedAudio("the container holds no audio stream; send one that does")
        if codec not in CODECS:
            named = codec or "something unknown"
            raise UnsupportedAudio(f"audio coded as {named} is not taken; send opus, vorbis, aac, mp3, flac or pcm")
        packets = _packets(container, source, outcome)
        _decode_packets(packets, source, resampler, put, outcome, needed=1 if signed else GOOD_PACKETS_FIRST)
    if not signed and outcome.samples and source.length > HIGHEST_BYTE_RATE * to_seconds(outcome.samples):
        raise UnsupportedAudio(NOT_A_CONTAINER)


def _decode_packets(
    packets: Iterator["av.Packet[AudioStream]"],
    source: Recordings,
    resampler: "Resampler",
    put: Callable[[Pcm, int], None],
    outcome: Outcome,
    *,
    needed: int,
) -> None:
    """Decode until the end. Nothing is put before ``needed`` packets in a row are good."""
    begun: deque[int] = deque([0], maxlen=PACKETS_IN_FLIGHT)
    early: list[Pcm] = []
    bad = 0
    for packet in packets:
        try:
            frames = packet.decode()
        except FFmpegError as error:
            bad += 1
            outcome.pass_over(packet.size)
            early.clear()
            logger.info("packet_skipped", error=str(error), in_a_row=bad)
            if bad >= (MOST_BAD_PACKETS if outcome.samples else MOST_BAD_PACKETS_FIRST):
                raise
            continue
        bad = 0
        outcome.pass_over(max(0, packet.size - sum(map(_most_bytes, frames)) - MOST_STRUCTURE))
        pcm = _joined([resampler.resample(frame) for frame in frames])
        if packet.pos is not None and packet.pos >= begun[-1]:
            begun.append(packet.pos)
        if len(pcm):
            early.append(pcm)
        if early and (outcome.samples or len(early) >= needed):
            pcm = _joined(early)
            early.clear()
            outcome.samples += len(pcm)
            put(pcm, source.begin + begun[0])
    pcm = resampler.flush()
    if not outcome.samples and needed > 1:
        return
    if len(pcm):
        outcome.samples += len(pcm)
        put(pcm, source.position)


def _packets(
    container: av.container.InputContainer, source: Recordings, outcome: Outcome
) -> Iterator["av.Packet[AudioStream]"]:
    """The packets of the first audio stream, while those of all streams are counted.

    Where the recording breaks off inside one, the ones before it are all there is.
    """
    audio = container.streams.audio[0]
    begun = False
    try:
        for packet in container.demux():
            outcome.found(packet.pos, packet.size)
            if packet.stream_index == audio.index:
                yield cast("av.Packet[AudioStream]", packet)
                begun = True
    except FFmpegError:
        if not (begun and source.exhausted):
            raise


def _most_bytes(frame: AudioFrame) -> int:
    """No codec takes more bytes than samples of 32 bits do, or the samples themselves."""
    return frame.samples * frame.layout.nb_channels * max(4, frame.format.bytes)


class Resampler:
    """Frames of any rate and layout as samples; they may change on the way, as in chained Ogg."""

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None
        self._mixer: Mixer | None = None

    def resample(self, frame: AudioFrame) -> Pcm:
        """The samples of ``frame``, and what was held back before. Raises ``UnsupportedAudio``."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is not None and shape == self._shape:
            return self._samples(self._resampler.resample(frame))
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE or frame.layout.nb_channels > MOST_CHANNELS:
            raise UnsupportedAudio(
                f"audio of {frame.layout.nb_channels} channels at {frame.sample_rate} Hz is not taken; "
                f"send at most {MOST_CHANNELS} at {LOWEST_RATE} to {HIGHEST_RATE} Hz"
            )
        rest = self.flush()
        channels = frame.layout.nb_channels
        if self._mixer is None or shape != self._shape:
            self._mixer = Mixer(channels, SAMPLE_RATE) if channels > 1 else None
        self._resampler = AudioResampler(
            format="s16" if self._mixer is None else "flt", layout=frame.layout, rate=SAMPLE_RATE
        )
        self._shape = shape
        return _joined([rest, self._samples(self._resampler.resample(frame))])

    def flush(self) -> Pcm:
        """What the filter holds back, at the end of a recording."""
        resampler, self._resampler = self._resampler, None
        return NO_AUDIO if resampler is None else self._samples(resampler.resample(None))

    def _samples(self, frames: list[AudioFrame]) -> Pcm:
        arrays = [frame.to_ndarray() for frame in frames]
        if self._mixer is None:
            return _joined([array.reshape(-1).astype(np.int16, copy=False) for array in arrays])
        channels = self._mixer.channels
        floats = [array.reshape(-1, channels).astype(np.float32, copy=False) for array in arrays]
        return _joined([to_pcm16(self._mixer.mix(samples)) for samples in floats])


def _joined(pieces: list[Pcm]) -> Pcm:
    return np.concatenate(pieces) if pieces else NO_AUDIO
