"""A caption and its version.

A caption is identified by its track and the number of its utterance. Versions order what is said about it: whoever
holds a version drops everything that is not newer, so late and repeated messages do no harm (DESIGN, guarantee 2).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from captions.track import TrackId
from captions.words import Word, join


class Pass(IntEnum):
    """Who made this version; a later pass beats an earlier one, whatever the revisions."""

    LIVE = 0
    REFINED = 1
    EDITED = 2


class Version(NamedTuple):
    """(pass, revision): compares as a tuple. ``revision`` is the number of audio segments heard."""

    pass_: Pass
    revision: int


class CaptionId(NamedTuple):
    """What a caption replaces: the earlier one with the same id."""

    track: TrackId
    utterance: int

    def describe(self) -> dict[str, str | int]:
        """Its names and its number, as fields of a log line."""
        return {**self.track.describe(), "utterance": self.utterance}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What is known of one utterance.

    ``start`` and ``end`` are seconds from the track's first sample; ``origin`` is the UTC time of that sample
    as epoch seconds. The first ``stable`` of ``words`` will not change before the final. ``model`` is what decoded a
    final, ``NAME@REVISION``; None where nothing did, and on partials.
    """

    id: CaptionId
    speaker: str | None
    version: Version
    final: bool
    language: str
    start: float
    end: float
    origin: float
    words: tuple[Word, ...]
    stable: int
    model: str | None = None

    @property
    def text(self) -> str:
        """The words joined as the language writes them."""
        return join(self.words, self.language)

    @property
    def started_at(self) -> datetime:
        """``start`` in UTC."""
        return datetime.fromtimestamp(self.origin, UTC) + timedelta(seconds=self.start)
