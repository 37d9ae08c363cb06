"""The audio of the streams, and the frame that completes each segment of it."""

from typing import NamedTuple

from bench.capacity.recordings import Loop, bundled_talk
from captions.audio import from_bytes
from captions.listener import Listener
from captions.segmenter import Segmenter, SegmenterSettings
from streamer.vad import DetectorName, detector_factory

FRAME_BYTES = 640
FRAME = 0.02
"""The size of a frame in bytes and in seconds."""

VOICES = 16
"""The number of different parts of the talk that streams send."""


class Segment(NamedTuple):
    """A segment that was appended at ``at`` seconds of the monotonic clock."""

    room: str
    utterance: int
    number: int
    at: float


class Voice:
    """A part of the talk in frames. ``complete`` maps (utterance, segment number) to the frame that completes it.

    It is computed by a segmenter that gets every frame without delay. A segment that arrives later was delayed.
    """

    def __init__(self, audio: bytes, vad: DetectorName) -> None:
        self.frames = [audio[at : at + FRAME_BYTES] for at in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)]
        self.complete: dict[tuple[int, int], int] = {}
        detector = detector_factory(vad)()
        listener = Listener(detector, Segmenter(SegmenterSettings(), detector.frame_samples))
        for number, frame in enumerate(self.frames):
            for piece in listener.push(from_bytes(frame)):
                self.complete[piece.utterance, piece.number] = number


def voices(seconds: float, vad: DetectorName) -> list[Voice]:
    """Parts of the talk of at least ``seconds``, spread over it, segmented with the detector ``vad``."""
    parts = Loop([bundled_talk()]).parts(VOICES, seconds + 10)
    return [Voice(part.audio, vad) for part in parts]
