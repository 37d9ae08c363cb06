"""Recordings in each of the containers that publishers send."""

import io
from pathlib import Path
from typing import Any

import av

from captions.audio import Pcm

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "200000"}
FORMATS: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "webm as MediaRecorder makes it": ("webm", "libopus", 48_000, {"live": "1", "cluster_time_limit": "100"}),
    "ogg/opus": ("ogg", "libopus", 48_000, {}),
    "wav": ("wav", "pcm_s16le", 44_100, {}),
    "flac": ("flac", "flac", 22_050, {}),
    "mp3": ("mp3", "libmp3lame", 44_100, {}),
    "mp3 without a tag": ("mp3", "libmp3lame", 44_100, {"id3v2_version": "0", "write_xing": "0"}),
    "fragmented mp4": ("mp4", "aac", 44_100, FRAGMENTED),
    "adts": ("adts", "aac", 44_100, {}),
}  # fmt: skip


def encoded(
    pcm: Pcm, container: str, codec: str, rate: int, options: dict[str, str], *, path: Path | None = None
) -> bytes:
    class Pipe(io.BytesIO):
        """Like a socket: the muxer cannot go back to write lengths."""

        seekable = None  # type: ignore[assignment] # PyAV asks whether it is there

    out: Any = io.BytesIO() if container in {"wav", "flac"} else Pipe()
    with av.open(path or out, "w", format=container, options=options) as muxer:
        stream: Any = muxer.add_stream(codec, rate=rate)
        stream.layout = "mono"
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=rate)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (chunk := fifo.read(size, partial=True)) is not None:
            for packet in stream.encode(chunk):
                muxer.mux(packet)
        for packet in stream.encode(None):
            muxer.mux(packet)
    return path.read_bytes() if path else bytes(out.getvalue())
