"""Decodes raw samples: parses, mixes and resamples them in the caller's task."""

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
from streamer.audio.floats import Floats, to_pcm16
from streamer.audio.mixing import Mixer
from streamer.audio.samples import BYTES, READ, silenced

MOST_WAITING = SAMPLE_RATE * 10
"""Decoded samples that may wait before ``feed`` blocks."""

MOST_SILENCED, MOST_SILENCED_FIRST = 0.1, 160
"""The share of float32 samples that may be invalid, and a number that always may. With more, it is no float32 audio."""


class RawDecoder:
    """Decodes linear16, float32, mulaw or alaw at any rate. The result does not depend on how the bytes are split."""

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
        """Take the next bytes. Waits if too many samples have not been taken."""
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
        """End the stream after the bytes so far. An incomplete sample is dropped with a warning."""
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
                    f"The audio ended {len(self._rest)} bytes into a sample of {self._frame_bytes}. The server dropped "
                    f"them. Check that it is {self._audio.encoding} with {self._audio.channels} channels.",
                )
            )
        self.ready.set()

    def take(self, at_least: int = 1) -> Decoded | None:
        """Return all samples since the last call as one piece; None if there are fewer than ``at_least``.

        At the end of the stream it returns any number.
        """
        no_more = self._finished or self._failure is not None
        self._at_least = min(at_least, MOST_WAITING)
        if self._waiting and (no_more or self._waiting_samples >= self._at_least):
            return self._gathered()
        if self._failure is not None:
            raise self._failure
        return None

    @property
    def over(self) -> bool:
        """Whether the stream was finished and all its samples were taken."""
        return self._finished and self._failure is None and not self._waiting

    async def close(self) -> None:
        """Wake all tasks that wait for this decoder."""
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
        """Replace invalid samples by silence. Only float32 can have any. Raises ``UnsupportedAudio`` for too many."""
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
                    f"{self._silenced} samples were not finite or far beyond -1 to 1. They were replaced by silence.",
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
