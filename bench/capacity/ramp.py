"""Decides how many streams to try next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from captions.errors import SetupError

FINE = 0.1
"""A ramp ends when the lowest failed number exceeds the highest good one by at most this fraction of it."""

MAX_STREAMS = 4096
"""The most streams."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A number of streams, and whether it met the goals."""

    streams: int
    held: bool


class Plan(Protocol):
    """Chooses the next number from the previous results."""

    def next(self, tried: Sequence[Tried]) -> int | None:
        """How many streams to try next; None at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """Tries the given numbers in order, up to the first that breaks a goal."""

    numbers: tuple[int, ...]

    def next(self, tried: Sequence[Tried]) -> int | None:
        """The next number in the list."""
        if (tried and not tried[-1].held) or len(tried) == len(self.numbers):
            return None
        return self.numbers[len(tried)]


@dataclass(frozen=True, slots=True)
class Ramp:
    """Doubles from one until a goal breaks, then bisects between the last good and the first bad number."""

    def next(self, tried: Sequence[Tried]) -> int | None:
        """The next number."""
        held = max((one.streams for one in tried if one.held), default=0)
        broke = min((one.streams for one in tried if not one.held), default=None)
        if broke is None:
            return min(MAX_STREAMS, 2 * held) if 0 < held < MAX_STREAMS else (None if held else 1)
        if broke - held <= max(1, round(FINE * held)):
            return None
        return (held + broke) // 2


def plan_of(text: str) -> Plan:
    """Parse ``ramp``, or numbers of streams separated by commas. Raises ``SetupError``."""
    if text == "ramp":
        return Ramp()
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise SetupError(f"--streams {text!r}: write ramp, or numbers like 1,2,4,8") from error
    if not all(1 <= number <= MAX_STREAMS for number in numbers):
        raise SetupError(f"--streams {text!r}: numbers have to be between 1 and {MAX_STREAMS}")
    return Listed(numbers)
