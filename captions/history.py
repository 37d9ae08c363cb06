"""The versions of one utterance that viewers saw: when each word first appeared, and how many words were erased."""

from collections.abc import Sequence
from typing import NamedTuple

from captions.quality import erased, places

MAX_VERSIONS = 512
"""The most versions kept of one utterance. Beyond it, every second version is dropped, which makes times less exact."""


class Shown(NamedTuple):
    """One version: its normalised words, and the time it was shown in seconds (None if unknown)."""

    words: Sequence[str]
    at: float | None


class History:
    """The versions of one utterance in the order they were shown. Times are seconds on the caller's clock."""

    def __init__(self) -> None:
        self._versions: list[Shown] = []

    @property
    def empty(self) -> bool:
        """Whether no word has been shown yet."""
        return not any(version.words for version in self._versions)

    def recall(self, words: Sequence[str]) -> None:
        """Start from words that another worker showed at an unknown time."""
        self._versions = [Shown(words, None)]

    def show(self, words: Sequence[str], at: float) -> int:
        """Record that ``words`` replaced the previous version, and return how many words of that one were erased."""
        before = self._versions[-1].words if self._versions else ()
        if list(before) != list(words):
            self._versions.append(Shown(words, at))
        if len(self._versions) > MAX_VERSIONS:
            self._versions = self._versions[::2]
        return erased(before, words)

    def first_shown(self, final: Sequence[str]) -> list[float | None]:
        """The time at which each word of ``final`` first appeared; None if it never did or the time is unknown."""
        first: dict[int, float | None] = {}
        for version in self._versions:
            if len(first) == len(final):
                break
            for place in places(final, version.words):
                first.setdefault(place, version.at)
        return [first.get(place) for place in range(len(final))]
