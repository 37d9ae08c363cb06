"""Demuxes, decodes and resamples one recording with PyAV."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as Flushed
from av.error import FFmpegError
from av.filter import Graph

from captions.audio import NO_AUDIO, SAMPLE_RATE, Pcm, to_seconds
from captions.errors import UnsupportedAudio
from streamer.audio.floats import to_pcm16
from streamer.audio.mixing import Mixer
from streamer.audio.recordings import Recordings
from streamer.audio.signatures import Kind

DEMUXERS = ("matroska", "webm", "ogg", "wav", "flac", "mp3", "mov", "mp4", "aac")
"""FFmpeg's demuxers that may run. Those for playlists, which open other files, are not among them."""

CODECS = (
    *("opus", "libopus", "vorbis", "flac", "alac", "mp3", "mp3float", "aac"),
    *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_mulaw", "pcm_alaw"),
)
"""FFmpeg's decoders that may run. Its many others are old and rarely used."""

ANALYSED_MICROSECONDS = "500000"
"""Duration of sound that FFmpeg may analyse before it returns any. Its default is several seconds."""

WAV_PROBED_BYTES = "32768"
"""Limits FFmpeg's search for other codecs in PCM data. By default it takes three seconds of audio."""

UNSIGNED_PROBED_BYTES = "16384"
"""The limit for streams without a signature. These are mp3 and aac, and they may begin in the middle of a frame.

By default FFmpeg reads a megabyte before it gives up: half a minute of live audio."""

LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 4_000, 192_000, 8
"""Sample rates in Hz. Audio with one sample per second would grow 16 000-fold when resampled."""

MOST_BAD_PACKETS = 50
"""Consecutive packets that may fail to decode, after the first sound."""

MOST_BAD_PACKETS_FIRST = 5
"""Consecutive packets that may fail to decode, before the first sound."""

GOOD_PACKETS_FIRST = 5
"""Consecutive packets that must decode before a stream without a signature is accepted. Random bytes can look like
single frames."""

HIGHEST_BYTE_RATE = 300_000
"""The most bytes per second of sound in a stream without a signature: aac with eight channels at 48 kHz."""

PACKETS_IN_FLIGHT = 2
"""Packets whose sound may still be partly in the decoder or the resampler, because codecs overlap their frames."""

MOST_STRUCTURE = 1024
"""Consecutive bytes without sound, between packets or inside one, that do not count as lost."""

NOT_A_CONTAINER = (
    "the bytes are no audio container that can be read as it arrives: "
    "send webm, ogg, wav, flac, mp3, aac or fragmented mp4"
)


@dataclass(slots=True)
class Outcome:
    """The result of decoding a recording.

    ``samples`` and ``packets`` are counts. ``passed_over`` is the number of bytes without sound, between packets and
    inside them, and ``passed_over_from`` the offset of the first. ``reach`` is the offset at which the last packet
    ends. Offsets count from the beginning of the recording.
    """

    samples: int = 0
    packets: int = 0
    passed_over: int = 0
    passed_over_from: int | None = None
    reach: int = 0
    _position: int = -1

    def found(self, position: int | None, size: int) -> None:
        """Count a packet. Its position may be unknown, and packets of one block have the same position."""
        if position is not None and position > self._position:
            if self.packets and position > self.reach:
                self.pass_over(position - self.reach)
            self._position = self.reach = position
        self.reach += size
        self.packets += 1

    def pass_over(self, size: int) -> None:
        """Count ``size`` bytes without sound, at ``reach``."""
        if self.passed_over_from is None and size > MOST_STRUCTURE:
            self.passed_over_from = self.reach
        self.passed_over += size


def decode_recording(
    source: Recordings, resampler: "Resampler", put: Callable[[Pcm, int], None], outcome: Outcome
) -> None:
    """Decode the current recording of ``source``, and record the result in ``outcome``.

    ``put`` is called with samples, and with the stream offset before which all bytes are decoded. A truncated recording
    with sound simply ends. Raises ``UnsupportedAudio``, and ``FFmpegError`` if the bytes are not, or are no longer, a
    valid container. Exceptions of ``put`` propagate.
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
            return  # truncated within its headers
        if not audio:
            raise UnsupportedAudio("the container holds no audio stream; send one that does")
        if codec not in CODECS:
            named = codec or "something unknown"
            raise UnsupportedAudio(f"audio coded as {named} is not supported; send opus, vorbis, aac, mp3, flac or pcm")
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
    """Decode all packets. ``put`` is not called before ``needed`` consecutive packets have been decoded."""
    begun: deque[int] = deque([0], maxlen=PACKETS_IN_FLIGHT)
    early: list[Pcm] = []
    bad = 0
    for packet in packets:
        try:
            frames = packet.decode()
        except FFmpegError:
            bad += 1
            outcome.pass_over(packet.size)
            early.clear()
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
    """Yield the packets of the first audio stream, and count those of all streams.

    If the recording is truncated inside a packet, it ends with the packet before.
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
    """The most bytes that a packet with this frame can need: those of its samples, or of 32-bit samples."""
    return frame.samples * frame.layout.nb_channels * max(4, frame.format.bytes)


class Resampler:
    """Converts frames to samples. Rate and layout may change between frames, as in chained Ogg."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._shape: tuple[str, str, int] | None = None
        self._mixer: Mixer | None = None

    def resample(self, frame: AudioFrame) -> Pcm:
        """Return the samples of ``frame`` and those held back before, shape (samples,). Raises ``UnsupportedAudio``."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._graph is not None and shape == self._shape:
            return self._through(self._graph, frame)
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE or frame.layout.nb_channels > MOST_CHANNELS:
            raise UnsupportedAudio(
                f"audio of {frame.layout.nb_channels} channels at {frame.sample_rate} Hz is not supported; "
                f"send at most {MOST_CHANNELS} at {LOWEST_RATE} to {HIGHEST_RATE} Hz"
            )
        rest = self.flush()
        channels = frame.layout.nb_channels
        if self._mixer is None or shape != self._shape:
            self._mixer = Mixer(channels, SAMPLE_RATE) if channels > 1 else None
        self._graph = _graph(frame, "s16" if self._mixer is None else "flt")
        self._shape = shape
        return _joined([rest, self._through(self._graph, frame)])

    def flush(self) -> Pcm:
        """Return the samples that the filter still holds, at the end of a recording."""
        graph, self._graph = self._graph, None
        return NO_AUDIO if graph is None else self._through(graph, None)

    def _through(self, graph: Graph, frame: AudioFrame | None) -> Pcm:
        graph.push(frame)
        frames: list[AudioFrame] = []
        while True:
            try:
                frames.append(cast("AudioFrame", graph.pull()))
            except (NothingYet, Flushed):
                break
        arrays = [frame.to_ndarray() for frame in frames]
        if self._mixer is None:
            return _joined([array.reshape(-1).astype(np.int16, copy=False) for array in arrays])
        channels = self._mixer.channels
        floats = [array.reshape(-1, channels).astype(np.float32, copy=False) for array in arrays]
        return _joined([to_pcm16(self._mixer.mix(samples)) for samples in floats])


def _graph(frame: AudioFrame, sample_format: str) -> Graph:
    """A graph that converts frames like this one. PyAV's own AudioResampler would start a thread for each core."""
    graph = Graph()
    graph.threads = 1
    nodes = (
        graph.add(
            "abuffer",
            sample_rate=f"{frame.sample_rate}",
            sample_fmt=frame.format.name,
            channel_layout=frame.layout.name,
            **({} if frame.time_base is None else {"time_base": f"{frame.time_base}"}),
        ),
        graph.add(
            "aformat", sample_rates=f"{SAMPLE_RATE}", sample_fmts=sample_format, channel_layouts=frame.layout.name
        ),
        graph.add("abuffersink"),
    )
    graph.link_nodes(*nodes).configure()
    return graph


def _joined(pieces: list[Pcm]) -> Pcm:
    return np.concatenate(pieces) if pieces else NO_AUDIO
