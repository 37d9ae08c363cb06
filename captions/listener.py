"""One stream's ear: PCM of any sizes in, pieces of utterances out."""

import numpy as np

from captions.audio import NO_AUDIO, Pcm
from captions.ports.detector import SpeechDetector
from captions.segmenter import Piece, Segmenter


class Listener:
    """Frames PCM for the detector and hands what it says to the segmenter.

    The same audio gives the same utterances, whatever the sizes it arrives in.
    """

    def __init__(self, detector: SpeechDetector, segmenter: Segmenter) -> None:
        self._detector = detector
        self._segmenter = segmenter
        self._rest = NO_AUDIO

    @property
    def heard(self) -> int:
        """Position after the last sample pushed."""
        return self._segmenter.heard + len(self._rest)

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

    def reopen(self, utterance: int, number: int, sent: Pcm) -> None:
        """Go on with an utterance that another listener began, of which ``sent`` is on the log in ``number`` pieces.

        The detector hears that audio too, so that what follows is judged as it would have been there.
        """
        self._segmenter.reopen(utterance, number)
        size = self._detector.frame_samples
        for at in range(0, len(sent), size):
            frame = sent[at : at + size]
            padded = frame if len(frame) == size else np.concatenate((frame, np.zeros(size - len(frame), np.int16)))
            self._segmenter.recall(frame, self._detector.probability(padded))

    def push(self, pcm: Pcm) -> list[Piece]:
        """Hear samples, shape (any,)."""
        audio = np.concatenate((self._rest, pcm)) if len(self._rest) else pcm
        size = self._detector.frame_samples
        whole = len(audio) // size * size
        pieces: list[Piece] = []
        for at in range(0, whole, size):
            frame = audio[at : at + size]
            pieces += self._segmenter.push(frame, self._detector.probability(frame))
        self._rest = audio[whole:].copy()
        return pieces

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
            padded = np.zeros(self._detector.frame_samples, dtype=np.int16)
            padded[: len(self._rest)] = self._rest
            rest, self._rest = self._rest, NO_AUDIO
            pieces += self._segmenter.push(rest, self._detector.probability(padded))
        return pieces + self._segmenter.finalize("end")
