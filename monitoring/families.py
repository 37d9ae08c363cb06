"""Families of metrics in a registry of their own, or in a folder that several processes share."""

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prometheus_client import (
    GC_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

PREFIX = "livecaptions_"

MultiprocessMode = Literal["livesum", "livemax", "livemin", "livemostrecent"]
"""What a gauge of several living processes is."""

disable_created_metrics()  # a series more for each counter and histogram, which nobody asks for


@dataclass(frozen=True, slots=True)
class Described:
    """A family as operators read of it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class Families:
    """Makes the families of one process and renders them.

    ``shared`` is the folder of PROMETHEUS_MULTIPROC_DIR, which prometheus_client must have found in the environment
    when it was imported: what is rendered is then that of all processes that share it, without the collectors
    of process and garbage collection, which cannot be added up.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = CollectorRegistry()
        self.described: list[Described] = []
        if shared is None:
            self._registry.register(PROCESS_COLLECTOR)
            self._registry.register(GC_COLLECTOR)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A counter; its name gets ``_total``."""
        self._describe(f"{name}_total", "counter", labels, text)
        return Counter(PREFIX + name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, *labels: str, multiprocess_mode: MultiprocessMode) -> Gauge:
        """A gauge."""
        self._describe(name, "gauge", labels, text)
        return Gauge(PREFIX + name, text, labels, registry=self._registry, multiprocess_mode=multiprocess_mode)

    def histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        """A histogram."""
        self._describe(name, "histogram", labels, text)
        return Histogram(PREFIX + name, text, labels, registry=self._registry, buckets=buckets)

    def _describe(self, name: str, kind: str, labels: tuple[str, ...], text: str) -> None:
        self.described.append(Described(PREFIX + name, kind, labels, text))

    def forget(self, gauge: Gauge, *labels: object) -> None:
        """The series goes. In a shared folder nothing can be removed: there it becomes NaN, which is not rendered."""
        if self._shared is None:
            gauge.remove(*labels)
        else:
            gauge.labels(*labels).set(math.nan)

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format, and its content type."""
        registry = self._registry
        if self._shared is not None:
            forget_the_dead(self._shared)
            registry = CollectorRegistry()
            registry.register(_Living(self._shared))
        return generate_latest(registry), CONTENT_TYPE_LATEST


class _Living(Collector):
    """What all processes of a shared folder measured, without series that were forgotten."""

    def __init__(self, shared: Path) -> None:
        self._all = MultiProcessCollector(None, str(shared))

    def collect(self) -> Iterable[Metric]:
        for family in self._all.collect():
            family.samples = [sample for sample in family.samples if not math.isnan(sample.value)]
            yield family


def forget_the_dead(shared: Path) -> None:
    """Drop the gauges of processes that are gone: a killed one cannot do it itself."""
    for file in shared.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(shared))
