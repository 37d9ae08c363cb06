"""What streams say, and by which of their frames each segment of it is complete."""

from typing import NamedTuple

from bench.capacity.recordings import Loop, bundled_talk
from captions.audio import from_bytes
from captions.listener import Listener
from captions.segmenter import Segmenter, SegmenterSettings
from streamer.vad import DetectorName, detector_factory

FRAME_BYTES = 640
FRAME = 0.02
"""Bytes and seconds of what is sent at a time."""

VOICES = 16
"""Streams say so many different parts of the talk."""


class Segment(NamedTuple):
    """A segment that went onto the log at ``at``, seconds of the monotonic clock."""

    room: str
    utterance: int
    number: int
    at: float


class Voice:
    """A part of the talk in frames; ``complete`` names the frame that completes each segment, by utterance and number.

    That is what the segmenter decides where every frame is heard at once: all that comes later is delay.
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
    """Parts of the talk, at least so long, spread over it, as this detector hears them."""
    parts = Loop([bundled_talk()]).parts(VOICES, seconds + 10)
    return [Voice(part.audio, vad) for part in parts]
