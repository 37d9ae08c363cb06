"""How calm captions are: how often hypotheses have to agree before viewers see a change."""

from dataclasses import dataclass
from enum import StrEnum


class Stability(StrEnum):
    """What an interpreter wants, most viewers, and a hall that reads subtitles: the words at once, or few changes."""

    FAST = "fast"
    BALANCED = "balanced"
    CALM = "calm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many hypotheses in a row have to agree before something changes.

    ``stable``: on a word, before it stands until the final. ``replaced``: on what takes the place of a word that is
    shown; at most ``stable``. The last ``held_back`` words of a hypothesis, which may be incomplete, are shown once two
    agree on them.
    """

    stable: int
    replaced: int
    held_back: int = 1


AGREEMENTS = {
    Stability.FAST: Agreement(stable=2, replaced=1),
    Stability.BALANCED: Agreement(stable=2, replaced=2),
    Stability.CALM: Agreement(stable=4, replaced=3, held_back=2),
}
"""The choices, measured in docs/stability.md."""

DEFAULT = Stability.BALANCED
