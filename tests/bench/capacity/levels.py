"""Levels to test with."""

from typing import Any

from bench.capacity.level import Level, Sender, Spread
from bench.capacity.run import Result


def level(streams: int = 1, **fields: Any) -> Level:  # noqa: ANN401 - any field of the level
    """One that holds all goals."""
    values: dict[str, Any] = {
        "system": "livecaptions",
        "words": 100,
        "word_shown": Spread(0.3, 0.8),
        "word_stable": Spread(0.4, 0.9),
        "first_partial": Spread(0.8, 1.0),
        "final": Spread(0.1, 0.3),
        "erasure": 0.1,
        "raw_erasure": 0.5,
        "word_error_rate": 0.04,
        "cpu_seconds": 0.25,
        "cores": 0.25 * streams,
        "memory": 2**28,
        "sender": Sender(0.1, 0.002),
        **fields,
    }
    return Level(streams=streams, **values)


def result(*levels: tuple[Level, list[str]]) -> Result:
    """Levels, each with what it broke."""
    return Result(levels[0][0].system, [one for one, _ in levels], [broken for _, broken in levels])
