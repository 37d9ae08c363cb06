"""What one process counted within the last seconds, across its restarts."""

import math
from collections import deque
from typing import NamedTuple

from livecaptions.top.scrape import Scrape, Series

START = ("process_start_time_seconds", frozenset[tuple[str, str]]())


class Step(NamedTuple):
    """What was counted between two scrapes, which end at ``at`` and are ``seconds`` apart."""

    at: float
    seconds: float
    counted: dict[Series, float]


class Window:
    """Follows one process. ``length`` is in seconds; until the first two scrapes nothing was counted."""

    def __init__(self, length: float) -> None:
        self._length = length
        self._last: Scrape | None = None
        self._steps: deque[Step] = deque()
        self.restarts = 0
        """How often the process was seen to have begun anew."""

    def add(self, scrape: Scrape) -> None:
        """Take the newest scrape in."""
        if self._last is not None:
            self._steps.append(self._step(self._last, scrape))
        self._last = scrape
        self.forget(scrape.at)

    def forget(self, now: float) -> None:
        """Leave out what ended before the window began."""
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
        """How long the window is by now."""
        return sum(step.seconds for step in self._steps)

    def increase(self, name: str, **labels: str) -> float | None:
        """By how much a counter grew, over all its labels but those named; None where nobody counts it yet."""
        wanted = labels.items()
        found = [
            value
            for step in self._steps
            for (series, labelled), value in step.counted.items()
            if series == name and wanted <= labelled
        ]
        return sum(found) if found else None

    def rate(self, name: str, **labels: str) -> float | None:
        """Likewise for each second."""
        increase = self.increase(name, **labels)
        return increase / self.seconds if increase is not None and self.seconds > 0 else None

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """By how much a counter grew, by the values of one of its labels."""
        found: dict[str, float] = {}
        for step in self._steps:
            for (series, labelled), value in step.counted.items():
                if series == name and (key := dict(labelled).get(label)) is not None:
                    found[key] = found.get(key, 0.0) + value
        return found

    def buckets(self, name: str) -> dict[float, float]:
        """What a histogram observed, cumulated by upper bound, over its other labels."""
        bounds = self.by_label(f"{name}_bucket", "le")
        return {math.inf if bound == "+Inf" else float(bound): count for bound, count in bounds.items()}


def has_restarted(before: Scrape, after: Scrape) -> bool:
    """Whether another process answers, or the same one counts from zero again."""
    started = [scrape.gauges.get(START) for scrape in (before, after)]
    if None not in started and started[0] != started[1]:
        return True
    return any(after.counters.get(series, math.inf) < value for series, value in before.counters.items())
