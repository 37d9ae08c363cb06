"""Raw samples: read, mixed down, resampled, in the caller's own task."""

import asyncio
from collections import deque

import numpy as np
import soxr

from captions.audio import SAMPLE_RATE, Pcm, from_bytes
from captions.audio_warnings import AudioWarning, AudioWarnings, WarningCode
from captions.errors import Refusal, UnsupportedAudio
from captions.stream_options import AudioFormat, Encoding
from streamer.audio.declaration import Declaration
from streamer.audio.decoder import Decoded
from streamer.audio.mixing import Mixer
from streamer.audio.samples import BYTES, READ, Floats, silenced, to_pcm16

MOST_WAITING = SAMPLE_RATE * 10
"""Samples that may wait to be read before ``feed`` waits."""

MOST_SILENCED, MOST_SILENCED_FIRST = 0.1, 160
"""Share of float32 samples that may be no sound, and how many may be in any case; a stream with more is no float32."""


class RawDecoder:
    """linear16, float32, mulaw or alaw at any rate. Bytes may be cut anywhere; the samples do not depend on where."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._frame_bytes = BYTES[audio.encoding] * audio.channels
        self._mixer = Mixer(audio.channels, audio.sample_rate) if audio.channels > 1 else None
        self._exact = audio == AudioFormat(Encoding.LINEAR16)
        self._resampler = (
            None
            if audio.sample_rate == SAMPLE_RATE
            else soxr.ResampleStream(audio.sample_rate, SAMPLE_RATE, 1, dtype="float32")
        )
        self.warnings = AudioWarnings()
        self._declaration = Declaration(audio, self.warnings)
        self._rest = b""
        self._silenced = 0
        self._frames = 0
        self._samples = 0
        self._waiting: deque[Decoded] = deque()
        self._waiting_samples = 0
        self._at_least = 1
        self._finished = False
        self._failure: Refusal | None = None
        self.ready = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    async def feed(self, data: bytes) -> None:
        """More bytes; waits where nobody reads."""
        if self._failure is not None:
            raise self._failure
        await self._space.wait()
        data = self._rest + data if self._rest else data
        whole = len(data) // self._frame_bytes * self._frame_bytes
        self._rest = data[whole:]
        try:
            self._take(data[:whole])
        except Refusal as refusal:
            self._fail(refusal)

    async def finish(self) -> None:
        """No more bytes come; part of a sample is passed over, with a warning."""
        if self._finished:
            return
        if self._resampler is not None:
            self._put(to_pcm16(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)), everything=True)
        self._finished = True
        self._declaration.finish()
        if self._rest:
            self.warnings.add(
                AudioWarning(
                    WarningCode.INCOMPLETE_SAMPLE,
                    f"The audio ended {len(self._rest)} bytes into a sample of {self._frame_bytes}, which were passed "
                    f"over. Check that it is {self._audio.encoding} with {self._audio.channels} channels.",
                )
            )
        self.ready.set()

    def take(self, at_least: int = 1) -> Decoded | None:
        """What was decoded since the last call, in one piece, once it is so many samples or no more come."""
        no_more = self._finished or self._failure is not None
        self._at_least = min(at_least, MOST_WAITING)
        if self._waiting and (no_more or self._waiting_samples >= self._at_least):
            return self._gathered()
        if self._failure is not None:
            raise self._failure
        return None

    @property
    def over(self) -> bool:
        """Whether the stream was finished and all of it taken."""
        return self._finished and self._failure is None and not self._waiting

    async def close(self) -> None:
        """Let whoever waits go."""
        self._finished = True
        self._space.set()
        self.ready.set()

    def _take(self, data: bytes) -> None:
        self._frames += len(data) // self._frame_bytes
        self._declaration.add_bytes(data)
        if self._exact:
            self._put(from_bytes(data))
            return
        samples = self._sound(READ[self._audio.encoding](data))
        if self._mixer is not None:
            samples = self._mixer.mix(samples.reshape(-1, self._audio.channels))
        self._put(to_pcm16(self._resampled(samples)))

    def _sound(self, samples: Floats) -> Floats:
        """``samples`` with silence for what is no sound; only floats can be that."""
        if self._audio.encoding is not Encoding.FLOAT32:
            return samples
        samples, bad = silenced(samples)
        if bad:
            self._silenced += bad
            if self._silenced > max(MOST_SILENCED_FIRST, MOST_SILENCED * self._frames * self._audio.channels):
                raise UnsupportedAudio(
                    f"{self._silenced} samples are not finite or far beyond -1 to 1: this is no float32 audio. "
                    "Send little-endian float32, or say which encoding it is"
                )
            self.warnings.add(
                AudioWarning(
                    WarningCode.NOT_FINITE,
                    f"{self._silenced} samples were not finite or far beyond -1 to 1. They were taken for silence.",
                )
            )
        return samples

    def _resampled(self, samples: Floats) -> Floats:
        if self._resampler is None:
            return samples
        resampled: Floats = self._resampler.resample_chunk(samples)
        return resampled

    def _put(self, pcm: Pcm, *, everything: bool = False) -> None:
        if not len(pcm):
            return
        self._samples += len(pcm)
        self._declaration.add_samples(pcm)
        accounted = self._samples * self._audio.sample_rate // SAMPLE_RATE
        frames = self._frames if everything else min(self._frames, accounted)
        self._waiting.append(Decoded(pcm, frames * self._frame_bytes))
        self._waiting_samples += len(pcm)
        if self._waiting_samples > MOST_WAITING:
            self._space.clear()
        if self._waiting_samples >= self._at_least:
            self.ready.set()

    def _gathered(self) -> Decoded:
        pieces = list(self._waiting)
        self._waiting.clear()
        self._waiting_samples = 0
        self._space.set()
        pcm = pieces[0].pcm if len(pieces) == 1 else np.concatenate([piece.pcm for piece in pieces])
        return Decoded(pcm, pieces[-1].offset)

    def _fail(self, refusal: Refusal) -> None:
        self._failure = refusal
        self.ready.set()
