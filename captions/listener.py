"""Finds the utterances in one stream: PCM of any length in, pieces of utterances out."""

import numpy as np

from captions.audio import NO_AUDIO, Pcm
from captions.ports.detector import SpeechDetector
from captions.segmenter import Piece, Segmenter


class Listener:
    """Cuts PCM into frames, and passes each frame with the detector's probability of speech to the segmenter.

    The same audio gives the same utterances, however it is split between calls. ``grid`` is any position at which a
    frame begins. If a listener continues where another one stopped, it may begin in the middle of a frame: its
    first frame is then shorter.
    """

    def __init__(self, detector: SpeechDetector, segmenter: Segmenter, *, grid: int = 0) -> None:
        self._detector = detector
        self._segmenter = segmenter
        self._grid = grid
        self._rest = NO_AUDIO

    @property
    def position(self) -> int:
        """The position after the last sample pushed, in samples on the track."""
        return self._segmenter.position + len(self._rest)

    @property
    def settled(self) -> int:
        """The position before which all audio was sent in pieces or will never be sent."""
        return self._segmenter.settled

    @property
    def open(self) -> bool:
        """Whether an utterance is open."""
        return self._segmenter.open

    @property
    def next_utterance(self) -> int:
        """The number of the next utterance that opens."""
        return self._segmenter.next_utterance

    @property
    def samples_until_next_piece(self) -> int:
        """The least number of samples that have to be pushed before there can be another piece.

        Pushing that many samples at once causes no delay.
        """
        size, first = self._detector.frame_samples, self._next_frame()
        more = -(-max(0, self._segmenter.samples_until_next_piece - first) // size)
        return first + more * size - len(self._rest)

    def reopen(self, utterance: int, number: int, sent: Pcm) -> None:
        """Continue an utterance that another listener began. It sent the samples ``sent`` in ``number`` pieces.

        The detector processes that audio again, so that its probabilities are those that the other listener would get.
        """
        self._segmenter.reopen(utterance, number)
        at = 0
        while at < len(sent):
            frame = sent[at : at + self._next_frame()]
            self._segmenter.restore(frame, self._probability(frame))
            at += len(frame)

    def push(self, pcm: Pcm) -> list[Piece]:
        """Process samples, shape (any,). Returns new pieces."""
        audio = np.concatenate((self._rest, pcm)) if len(self._rest) else pcm
        pieces: list[Piece] = []
        at = 0
        while at + (size := self._next_frame()) <= len(audio):
            frame = audio[at : at + size]
            pieces += self._segmenter.push(frame, self._probability(frame))
            at += size
        self._rest = audio[at:].copy()
        return pieces

    def _next_frame(self) -> int:
        """The number of samples in the next frame."""
        size = self._detector.frame_samples
        return size - (self._segmenter.position - self._grid) % size

    def _probability(self, frame: Pcm) -> float:
        """The probability of speech in a frame. Shorter frames are padded with zeros."""
        missing = self._detector.frame_samples - len(frame)
        if missing == 0:
            return self._detector.probability(frame)
        return self._detector.probability(np.concatenate((frame, np.zeros(missing, dtype=np.int16))))

    def finalize(self, reason: str) -> list[Piece]:
        """End the open utterance for ``reason``. Samples of an incomplete frame belong to the audio after it."""
        return self._segmenter.finalize(reason)

    def flush(self) -> list[Piece]:
        """Return the rest of the open utterance's audio so far. The utterance stays open."""
        return self._segmenter.flush()

    def finish(self) -> list[Piece]:
        """End the stream: process the incomplete frame, and end the open utterance."""
        pieces: list[Piece] = []
        if len(self._rest):
            rest, self._rest = self._rest, NO_AUDIO
            pieces += self._segmenter.push(rest, self._probability(rest))
        return pieces + self._segmenter.finalize("end")
