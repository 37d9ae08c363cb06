"""Metric families, in a registry of one process or in a folder that several processes share."""

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
"""How prometheus_client combines a gauge of several running processes."""

disable_created_metrics()  # they would add an unused series to each counter and histogram


@dataclass(frozen=True, slots=True)
class Described:
    """The description of a family for docs/metrics.md."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class Families:
    """Creates the metric families of one process and renders them.

    ``shared`` is the folder in PROMETHEUS_MULTIPROC_DIR, which prometheus_client reads when it is imported. With it,
    the output covers all processes that share the folder. The process and garbage collection metrics are left out,
    because they cannot be summed.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = CollectorRegistry()
        self.described: list[Described] = []
        if shared is None:
            self._registry.register(PROCESS_COLLECTOR)
            self._registry.register(GC_COLLECTOR)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """Create a counter. ``_total`` is added to its name."""
        self._describe(f"{name}_total", "counter", labels, text)
        return Counter(PREFIX + name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, *labels: str, multiprocess_mode: MultiprocessMode) -> Gauge:
        """Create a gauge. ``multiprocess_mode`` says how the values of several processes are combined."""
        self._describe(name, "gauge", labels, text)
        return Gauge(PREFIX + name, text, labels, registry=self._registry, multiprocess_mode=multiprocess_mode)

    def histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        """Create a histogram. ``buckets`` are upper bounds in the unit of the metric."""
        self._describe(name, "histogram", labels, text)
        return Histogram(PREFIX + name, text, labels, registry=self._registry, buckets=buckets)

    def _describe(self, name: str, kind: str, labels: tuple[str, ...], text: str) -> None:
        self.described.append(Described(PREFIX + name, kind, labels, text))

    def forget(self, gauge: Gauge, *labels: object) -> None:
        """Remove a series. In a shared folder it is set to NaN instead, which is not rendered."""
        if self._shared is None:
            gauge.remove(*labels)
        else:
            gauge.labels(*labels).set(math.nan)

    def render(self) -> tuple[bytes, str]:
        """Render the metrics in Prometheus' text format. Returns them with their content type."""
        registry = self._registry
        if self._shared is not None:
            remove_dead_processes(self._shared)
            registry = CollectorRegistry()
            registry.register(_SharedMetrics(self._shared))
        return generate_latest(registry), CONTENT_TYPE_LATEST


class _SharedMetrics(Collector):
    """The metrics of all processes in a shared folder, without removed series."""

    def __init__(self, shared: Path) -> None:
        self._all = MultiProcessCollector(None, str(shared))

    def collect(self) -> Iterable[Metric]:
        for family in self._all.collect():
            family.samples = [sample for sample in family.samples if not math.isnan(sample.value)]
            yield family


def remove_dead_processes(shared: Path) -> None:
    """Remove the gauges of processes that no longer run. A killed process cannot do this itself."""
    for file in shared.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(shared))
