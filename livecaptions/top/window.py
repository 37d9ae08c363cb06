"""The increases of one process's counters within the last seconds, across restarts."""

import math
from collections import deque
from typing import NamedTuple

from livecaptions.top.scrape import Scrape, Series

START = ("process_start_time_seconds", frozenset[tuple[str, str]]())


class Step(NamedTuple):
    """The increases between two scrapes that are ``seconds`` apart. The later one was at ``at``."""

    at: float
    seconds: float
    counted: dict[Series, float]


class Window:
    """Follows one process. ``length`` is in seconds. Increases are known from the second scrape on."""

    def __init__(self, length: float) -> None:
        self._length = length
        self._last: Scrape | None = None
        self._steps: deque[Step] = deque()
        self.restarts = 0
        """The number of restarts seen."""

    def add(self, scrape: Scrape) -> None:
        """Add the newest scrape."""
        if self._last is not None:
            self._steps.append(self._step(self._last, scrape))
        self._last = scrape
        self.forget(scrape.at)

    def forget(self, now: float) -> None:
        """Drop the steps that ended before the window."""
        while self._steps and self._steps[0].at <= now - self._length:
            self._steps.popleft()

    def _step(self, before: Scrape, after: Scrape) -> Step:
        restarted = has_restarted(before, after)
        self.restarts += restarted
        counted = {
            series: value - (0.0 if restarted else before.counters.get(series, 0.0))
            for series, value in after.counters.items()
        }
        return Step(after.at, after.at - before.at, counted)

    @property
    def seconds(self) -> float:
        """The time that the window covers now."""
        return sum(step.seconds for step in self._steps)

    def increase(self, name: str, **labels: str) -> float | None:
        """The increase of a counter, summed over all labels but the given ones; None if it does not exist yet."""
        wanted = labels.items()
        found = [
            value
            for step in self._steps
            for (series, labelled), value in step.counted.items()
            if series == name and wanted <= labelled
        ]
        return sum(found) if found else None

    def rate(self, name: str, **labels: str) -> float | None:
        """The increase per second."""
        increase = self.increase(name, **labels)
        return increase / self.seconds if increase is not None and self.seconds > 0 else None

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The increase of a counter by the values of one label."""
        found: dict[str, float] = {}
        for step in self._steps:
            for (series, labelled), value in step.counted.items():
                if series == name and (key := dict(labelled).get(label)) is not None:
                    found[key] = found.get(key, 0.0) + value
        return found

    def buckets(self, name: str) -> dict[float, float]:
        """The observations of a histogram, cumulative by upper bound, summed over its other labels."""
        bounds = self.by_label(f"{name}_bucket", "le")
        return {math.inf if bound == "+Inf" else float(bound): count for bound, count in bounds.items()}


def has_restarted(before: Scrape, after: Scrape) -> bool:
    """Whether the process was replaced, or its counters started from zero again."""
    started = [scrape.gauges.get(START) for scrape in (before, after)]
    if None not in started and started[0] != started[1]:
        return True
    return any(after.counters.get(series, math.inf) < value for series, value in before.counters.items())
