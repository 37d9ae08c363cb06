"""What a publisher is told of its audio while the session goes on."""

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
    """A code and a sentence for the speaker: what is wrong and what to do."""

    code: WarningCode
    message: str


class AudioWarnings:
    """The warnings of one stream. A code that comes again replaces what it said before."""

    def __init__(self) -> None:
        self._all: dict[WarningCode, AudioWarning] = {}
        self._new: list[AudioWarning] = []

    def add(self, warning: AudioWarning) -> None:
        """Keep ``warning``; it is news where its code is."""
        if warning.code not in self._all:
            self._new.append(warning)
        self._all[warning.code] = warning

    def take_new(self) -> list[AudioWarning]:
        """Those with a code that was not taken yet."""
        new, self._new = self._new, []
        return new

    @property
    def all(self) -> tuple[AudioWarning, ...]:
        """The latest of each code, in the order in which the codes came first."""
        return tuple(self._all.values())
