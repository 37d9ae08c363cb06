"""The latency goals, and messages about the goals that a level breaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from bench.capacity.level import Level
from captions.errors import SetupError
from monitoring.goals import FINAL, FIRST_PARTIAL, WORD_SHOWN, WORD_SHOWN_MEDIAN, WORD_STABLE, WORD_STABLE_MEDIAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """Limits in seconds; None means no goal. The defaults are explained in docs/latency.md.

    ``word_error_rate`` is the allowed increase over the first level, as a fraction.
    """

    first_partial_p95: float | None = FIRST_PARTIAL.good
    word_shown_p50: float | None = WORD_SHOWN_MEDIAN.good
    word_shown_p95: float | None = WORD_SHOWN.good
    word_stable_p50: float | None = WORD_STABLE_MEDIAN.good
    word_stable_p95: float | None = WORD_STABLE.good
    final_p95: float | None = FINAL.good
    word_error_rate: float | None = 0.02

    def broken(self, level: Level, first: Level) -> list[str]:
        """The goals that ``level`` breaks, as messages. ``first`` is the system's first level. Missing figures pass."""
        figures = [
            ("first partial p95", level.first_partial.p95, self.first_partial_p95),
            ("word shown p50", level.word_shown.p50, self.word_shown_p50),
            ("word shown p95", level.word_shown.p95, self.word_shown_p95),
            ("word stable p50", level.word_stable.p50, self.word_stable_p50),
            ("word stable p95", level.word_stable.p95, self.word_stable_p95),
            ("final p95", level.final.p95, self.final_p95),
        ]
        broken = [] if level.sender.valid else [f"invalid, the sender fell behind: {level.sender}"]
        broken += [
            f"{name} {value:.2f} > {most:g} s" for name, value, most in figures if most is not None and value > most
        ]
        if math.isnan(level.word_shown.p50) and (self.word_shown_p50 is not None or self.word_shown_p95 is not None):
            broken.append("no spoken words were shown")
        rise = level.word_error_rate - first.word_error_rate
        if self.word_error_rate is not None and rise > self.word_error_rate:
            broken.append(f"WER {rise * 100:.1f} > {self.word_error_rate * 100:g} points above the first level's")
        if level.failures:
            broken.append(f"{len(level.failures)} of {level.streams} streams failed: {level.failures[0]}")
        return broken


PEERS = Goals(
    first_partial_p95=None,
    word_shown_p50=3.0,
    word_shown_p95=None,
    word_stable_p50=None,
    word_stable_p95=None,
    final_p95=None,
)
"""The goals for peers: Ofcom's 3 s for live subtitles. They break the default goals with one stream."""


def goals_of(changes: Sequence[str]) -> Goals:
    """Apply changes such as ``final_p95=0.6`` or ``final_p95=none`` to the defaults. Raises ``SetupError``."""
    names = [field.name for field in fields(Goals)]
    goals = Goals()
    for change in changes:
        name, _, value = change.partition("=")
        problem = f"--goal {change!r}: write NAME=SECONDS or NAME=none, with one of {', '.join(names)}"
        if name not in names:
            raise SetupError(problem)
        try:
            goals = replace(goals, **{name: None if value == "none" else float(value)})
        except ValueError as error:
            raise SetupError(problem) from error
    return goals
