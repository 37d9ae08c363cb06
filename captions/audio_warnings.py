"""Warnings to a publisher about its audio. The session continues after a warning."""

from enum import StrEnum
from typing import NamedTuple


class WarningCode(StrEnum):
    """The ``code`` of a warning."""

    INCOMPLETE_SAMPLE = "incomplete_sample"
    NOT_FINITE = "not_finite"
    NO_SOUND = "no_sound"
    LOST_BYTES = "lost_bytes"
    WRONG_DECLARATION = "wrong_declaration"
    SILENCE = "silence"
    CLIPPING = "clipping"
    TOO_QUIET = "too_quiet"


class AudioWarning(NamedTuple):
    """A code, and a message for the speaker: what is wrong and how to fix it."""

    code: WarningCode
    message: str


class AudioWarnings:
    """The warnings of one stream. A warning replaces the earlier one with the same code."""

    def __init__(self) -> None:
        self._all: dict[WarningCode, AudioWarning] = {}
        self._new: list[AudioWarning] = []

    def add(self, warning: AudioWarning) -> None:
        """Store ``warning``. It counts as new when its code is new."""
        if warning.code not in self._all:
            self._new.append(warning)
        self._all[warning.code] = warning

    def take_new(self) -> list[AudioWarning]:
        """Return the warnings whose codes are new since the last call."""
        new, self._new = self._new, []
        return new

    @property
    def all(self) -> tuple[AudioWarning, ...]:
        """The latest warning of each code, in the order in which the codes first appeared."""
        return tuple(self._all.values())
