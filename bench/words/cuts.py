"""Recordings cut into utterances as the gateway cuts them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from captions.audio import Pcm
from captions.listener import Listener
from captions.segmenter import Piece, Segmenter, SegmenterSettings
from streamer.vad import detector_factory


@dataclass(frozen=True, slots=True)
class Cut:
    """An utterance: the position of its first sample in the recording, and its audio."""

    start: int
    pcm: Pcm


def pieces_of(pcm: Pcm, settings: SegmenterSettings | None = None) -> list[Piece]:
    """The pieces that a gateway with the default detector sends for a recording."""
    detector = detector_factory("cascade")()
    listener = Listener(detector, Segmenter(settings or SegmenterSettings(), frame_samples=detector.frame_samples))
    return [*listener.push(pcm), *listener.finish()]


def cuts(pcm: Pcm, settings: SegmenterSettings | None = None) -> list[Cut]:
    """The utterances of a recording, in order."""
    found: dict[int, list[Piece]] = {}
    for piece in pieces_of(pcm, settings):
        found.setdefault(piece.utterance, []).append(piece)
    return [_joined(utterance) for utterance in found.values()]


def _joined(pieces: Iterable[Piece]) -> Cut:
    pieces = list(pieces)
    start, end = pieces[0].start, pieces[-1].end
    audio = np.concatenate([piece.pcm for piece in pieces])
    return Cut(start, audio if end is None else audio[: max(0, end - start)])
