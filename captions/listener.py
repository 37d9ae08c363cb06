"""One stream's ear: PCM of any sizes in, pieces of utterances out."""

import numpy as np

from captions.audio import NO_AUDIO, Pcm
from captions.ports.detector import SpeechDetector
from captions.segmenter import Piece, Segmenter


class Listener:
    """Frames PCM for the detector and hands what it says to the segmenter.

    The same audio gives the same utterances, whatever the sizes it arrives in. ``grid`` is a position where a frame
    begins, for a listener that goes on where another stopped: its first frame may be shorter.
    """

    def __init__(self, detector: SpeechDetector, segmenter: Segmenter, *, grid: int = 0) -> None:
        self._detector = detector
        self._segmenter = segmenter
        self._grid = grid
        self._rest = NO_AUDIO

    @property
    def position(self) -> int:
        """Position after the last sample pushed."""
        return self._segmenter.position + len(self._rest)

    @property
    def settled(self) -> int:
        """Everything before this position was sent, or never will be."""
        return self._segmenter.settled

    @property
    def open(self) -> bool:
        """Whether an utterance is in progress."""
        return self._segmenter.open

    @property
    def next_utterance(self) -> int:
        """The number that the next utterance to be opened gets."""
        return self._segmenter.next_utterance

    @property
    def samples_until_next_piece(self) -> int:
        """Samples that have to be pushed, at least, before there is another piece: more at a time costs no delay."""
        size, first = self._detector.frame_samples, self._next_frame()
        more = -(-max(0, self._segmenter.samples_until_next_piece - first) // size)
        return first + more * size - len(self._rest)

    def reopen(self, utterance: int, number: int, sent: Pcm) -> None:
        """Go on with an utterance that another listener began, of which ``sent`` is on the log in ``number`` pieces.

        The detector hears that audio too, so that what follows is judged as it would have been there.
        """
        self._segmenter.reopen(utterance, number)
        at = 0
        while at < len(sent):
            frame = sent[at : at + self._next_frame()]
            self._segmenter.restore(frame, self._probability(frame))
            at += len(frame)

    def push(self, pcm: Pcm) -> list[Piece]:
        """Hear samples, shape (any,)."""
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
        """Samples to the end of the frame."""
        size = self._detector.frame_samples
        return size - (self._segmenter.position - self._grid) % size

    def _probability(self, frame: Pcm) -> float:
        """Of speech in a frame, or in the end or the beginning of one."""
        missing = self._detector.frame_samples - len(frame)
        if missing == 0:
            return self._detector.probability(frame)
        return self._detector.probability(np.concatenate((frame, np.zeros(missing, dtype=np.int16))))

    def finalize(self, reason: str) -> list[Piece]:
        """End the utterance in progress now; the incomplete frame belongs to what follows."""
        return self._segmenter.finalize(reason)

    def flush(self) -> list[Piece]:
        """Send what is there of the utterance in progress, which goes on."""
        return self._segmenter.flush()

    def finish(self) -> list[Piece]:
        """The stream is over: hear its rest and end what is in progress."""
        pieces: list[Piece] = []
        if len(self._rest):
            rest, self._rest = self._rest, NO_AUDIO
            pieces += self._segmenter.push(rest, self._probability(rest))
        return pieces + self._segmenter.finalize("end")
