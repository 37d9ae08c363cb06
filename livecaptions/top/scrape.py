"""Parses one page of metrics."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from captions.errors import LivecaptionsError

OURS = ("livecaptions_", "process_")

Series = tuple[str, frozenset[tuple[str, str]]]
"""A sample's name and its labels."""


class NotMetricsError(LivecaptionsError):
    """The response does not contain livecaptions' metrics."""


@dataclass(frozen=True)
class Scrape:
    """The metrics of one process at ``at`` seconds. Histogram series count as counters."""

    at: float
    counters: dict[Series, float] = field(default_factory=dict)
    gauges: dict[Series, float] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the process exposes a gauge called ``name``."""
        return any(series[0] == name for series in self.gauges)

    def gauge(self, name: str) -> float | None:
        """The sum of a gauge over all labels; None if it does not exist."""
        values = [value for _, value in matching(self.gauges, name)]
        return sum(values) if values else None

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The values of a gauge by the values of one label."""
        return {labels[label]: value for labels, value in matching(self.gauges, name) if label in labels}

    def label(self, name: str, label: str) -> str | None:
        """The value of a label of an info metric."""
        return next((labels[label] for labels, _ in matching(self.gauges, name) if label in labels), None)


def matching(samples: dict[Series, float], name: str) -> Iterator[tuple[dict[str, str], float]]:
    """Yield the labels and the value of every series called ``name``."""
    for (found, labels), value in samples.items():
        if found == name:
            yield dict(labels), value


def read_scrape(text: str, at: float) -> Scrape:
    """Parse a page in Prometheus' text format, scraped at ``at`` seconds. Raises ``NotMetricsError``."""
    scrape = Scrape(at)
    try:
        for family in text_string_to_metric_families(text):
            samples = scrape.counters if family.type in {"counter", "histogram"} else scrape.gauges
            for sample in family.samples:
                if sample.name.startswith(OURS) and not math.isnan(sample.value):
                    samples[sample.name, frozenset(sample.labels.items())] = float(sample.value)
    except (ValueError, KeyError, IndexError) as error:  # the parser raises any of these
        raise NotMetricsError("the response is not in Prometheus' format") from error
    if not any(name.startswith("livecaptions_") for name, _ in (*scrape.counters, *scrape.gauges)):
        raise NotMetricsError("the response contains no metrics of livecaptions")
    return scrape
