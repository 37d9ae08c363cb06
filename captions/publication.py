"""What passes between a publisher's protocol and its publication: commands one way, events the other.

A protocol translates its own frames into these commands and these events into its own frames; nothing below it knows
which protocol a publisher speaks.
"""

from dataclasses import dataclass
from typing import NamedTuple

from captions.audio_warnings import AudioWarning
from captions.messages import CaptionMessage
from captions.track import TrackId


class Audio(NamedTuple):
    """Command: these bytes come next in the stream."""

    data: bytes


@dataclass(frozen=True, slots=True)
class FinalizeUtterance:
    """Command: end the utterance in progress now."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Command: the publisher sends nothing for now, and that is no fault."""


@dataclass(frozen=True, slots=True)
class EndStream:
    """Command: no more audio comes."""


Command = Audio | FinalizeUtterance | Mute | EndStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Event: audio may be sent, from byte ``offset`` of the stream on."""

    session: str
    track: TrackId
    offset: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Event: the first ``offset`` bytes are safe; they need not be sent again."""

    offset: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Event: an utterance began ``at`` seconds from the track's first sample."""

    at: float


@dataclass(frozen=True, slots=True)
class Captioned:
    """Event: a caption of the track; ``json`` is the message as viewers get it."""

    message: CaptionMessage
    json: bytes


@dataclass(frozen=True, slots=True)
class Warned:
    """Event: something is wrong with the audio; the stream goes on."""

    warning: AudioWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Event: the last caption is out. ``seconds`` of audio were heard; ``offset`` is where the stream ended."""

    offset: int
    seconds: float
    warnings: tuple[AudioWarning, ...]


Event = Accepted | Acknowledged | SpeechStarted | Captioned | Warned | Finished
