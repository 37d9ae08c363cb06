"""A caption and its version.

A caption is identified by its track and its utterance number. Receivers keep the highest version of a caption and drop
the rest, so late and repeated messages are harmless (docs/guarantees.md, 2).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from captions.track import TrackId
from captions.words import Word, join


class Pass(IntEnum):
    """The process that produced a version. A later pass beats an earlier one, whatever the revisions are."""

    LIVE = 0
    REFINED = 1
    EDITED = 2


class Version(NamedTuple):
    """(pass, revision), compared as a tuple. ``revision`` is the number of audio segments that were decoded."""

    pass_: Pass
    revision: int


class CaptionId(NamedTuple):
    """The identity of a caption. A caption replaces the earlier one with the same id."""

    track: TrackId
    utterance: int

    def describe(self) -> dict[str, str | int]:
        """Tenant (if any), room, track and utterance, as fields for a log line."""
        return {**self.track.describe(), "utterance": self.utterance}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The caption of one utterance.

    ``start`` and ``end`` are seconds from the track's first sample. ``origin`` is the UTC time of that sample, as epoch
    seconds. The first ``stable`` of ``words`` will not change before the final. ``model`` is the model that decoded a
    final, as ``NAME@REVISION``; it is None on partials, and on finals that were not decoded.
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
        """The words joined, with or without spaces according to the language."""
        return join(self.words, self.language)

    @property
    def started_at(self) -> datetime:
        """The UTC time of ``start``."""
        return datetime.fromtimestamp(self.origin, UTC) + timedelta(seconds=self.start)
