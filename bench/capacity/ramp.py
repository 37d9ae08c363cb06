"""How many streams are tried next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from captions.errors import SetupError

FINE = 0.1
"""A ramp ends where the last number that held and the first that did not are this near, as a part of the former."""

MOST = 4096
"""Streams that a ramp does not go beyond."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A number of streams, and whether the goals held."""

    streams: int
    held: bool


class Plan(Protocol):
    """Decides from what was tried."""

    def next(self, tried: Sequence[Tried]) -> int | None:
        """How many streams to try next; None when it is known what there is to know."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """These numbers, in this order, up to the first at which a goal breaks."""

    numbers: tuple[int, ...]

    def next(self, tried: Sequence[Tried]) -> int | None:
        """The next of the list."""
        if (tried and not tried[-1].held) or len(tried) == len(self.numbers):
            return None
        return self.numbers[len(tried)]


@dataclass(frozen=True, slots=True)
class Ramp:
    """Doubles from one until a goal breaks, then halves the distance between what held and what did not."""

    def next(self, tried: Sequence[Tried]) -> int | None:
        """The next number."""
        held = max((one.streams for one in tried if one.held), default=0)
        broke = min((one.streams for one in tried if not one.held), default=None)
        if broke is None:
            return min(MOST, 2 * held) if 0 < held < MOST else (None if held else 1)
        if broke - held <= max(1, round(FINE * held)):
            return None
        return (held + broke) // 2


def plan_of(text: str) -> Plan:
    """``ramp``, or numbers of streams separated by commas. Raises ``SetupError``."""
    if text == "ramp":
        return Ramp()
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise SetupError(f"--streams {text!r}: ramp, or numbers like 1,2,4,8") from error
    if not all(1 <= number <= MOST for number in numbers):
        raise SetupError(f"--streams {text!r}: numbers between 1 and {MOST}")
    return Listed(numbers)
