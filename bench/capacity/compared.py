"""Comparison with a peer in one run on one machine: the number of streams at equal or better quality."""

from dataclasses import dataclass

from bench.capacity.level import Level
from bench.capacity.run import Result

EQUAL_WER = 0.005
"""Word error rates that differ by at most this are equal: different numbers of streams speak different texts."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The peer's best level, and our level with the most streams that is worse in nothing (None if there is none)."""

    peer: Level
    ours: Level | None

    @property
    def ratio(self) -> float:
        """Our streams divided by the peer's; 0 if we are worse at every level."""
        return self.ours.streams / self.peer.streams if self.ours else 0.0


def compare(ours: Result, peer: Result) -> Compared | None:
    """Compare two results of one run. None if the peer did not meet its goals with a single stream."""
    best = peer.best
    if best is None:
        return None
    good = [level for level in ours.levels if not level.failures and not worse(level, best)]
    return Compared(best, max(good, key=lambda level: level.streams, default=None))


def worse(level: Level, than: Level) -> list[str]:
    """The names of the figures in which ``level`` is worse. Finals count only if both systems have them."""
    figures = [
        ("word shown p50", level.word_shown.p50, than.word_shown.p50),
        ("word shown p95", level.word_shown.p95, than.word_shown.p95),
        ("word stable p50", level.word_stable.p50, than.word_stable.p50),
        ("word stable p95", level.word_stable.p95, than.word_stable.p95),
        ("final p95", level.final.p95, than.final.p95),
        ("erasure", level.erasure, than.erasure),
        ("WER", level.word_error_rate, than.word_error_rate + EQUAL_WER),
    ]
    return [name for name, ours, theirs in figures if ours > theirs]
