"""What viewers were shown of one utterance: when each word appeared first, and how many were taken back."""

from collections.abc import Sequence
from typing import NamedTuple

from captions.quality import erased, places

MAX_VERSIONS = 512
"""Versions held of one utterance. Where there are more, every second one goes: appearances are then known less well."""


class Shown(NamedTuple):
    """Words as they are compared, and when they came; None where that is not known."""

    words: Sequence[str]
    at: float | None


class History:
    """The versions of one utterance in the order they were shown. Times are the caller's, in seconds."""

    def __init__(self) -> None:
        self._versions: list[Shown] = []

    @property
    def empty(self) -> bool:
        """Whether no word was shown yet."""
        return not any(version.words for version in self._versions)

    def recall(self, words: Sequence[str]) -> None:
        """These words were shown by somebody else, nobody knows when."""
        self._versions = [Shown(words, None)]

    def show(self, words: Sequence[str], at: float) -> int:
        """Words are shown in place of those before; how many of these were taken back."""
        before = self._versions[-1].words if self._versions else ()
        if list(before) != list(words):
            self._versions.append(Shown(words, at))
        if len(self._versions) > MAX_VERSIONS:
            self._versions = self._versions[::2]
        return erased(before, words)

    def first_shown(self, final: Sequence[str]) -> list[float | None]:
        """When each word of ``final`` appeared first; None where it never did, or nobody knows when."""
        first: dict[int, float | None] = {}
        for version in self._versions:
            if len(first) == len(final):
                break
            for place in places(final, version.words):
                first.setdefault(place, version.at)
        return [first.get(place) for place in range(len(final))]
